namespace Gudp.Tools;

/// <summary>What the command hands to the shell. Scripts rely on these numbers: they never change.</summary>
internal enum ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    Fine = 0,

    /// <summary>It ran to its end and the result is wrong: a checksum differs, a file was refused.</summary>
    CheckFailed = 1,

    /// <summary>The command line cannot be carried out as given: an unknown option, an unusable file.</summary>
    Usage = 2,

    /// <summary>No connection: unknown host, port in use, nobody answers, the peer refuses.</summary>
    NotConnected = 3,

    /// <summary>There was a connection, and then nothing came any more.</summary>
    TimedOut = 4,
}
