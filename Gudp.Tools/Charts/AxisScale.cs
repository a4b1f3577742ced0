using System.Globalization;

namespace Gudp.Tools.Charts;

/// <summary>Where each value of an axis lies in the drawing, and which values get a mark.</summary>
/// <remarks>Always true: the ends differ, and both are above 0 if the axis is logarithmic.</remarks>
internal sealed class AxisScale
{
    private const int MostSteps = 8;
    private const double ShareCountedAsNearZero = 0.35;

    private readonly bool _isLogarithmic;
    private readonly double _least;
    private readonly double _most;
    private readonly double _start;
    private readonly double _end;
    private readonly double _step;

    /// <param name="axis">Its title is not looked at.</param>
    /// <param name="values">What has to find a place; not finite ones are skipped.</param>
    /// <param name="start">Coordinate of the least value.</param>
    /// <param name="end">Coordinate of the largest value; less than start for an axis that goes up.</param>
    internal AxisScale(ChartAxis axis, IEnumerable<double> values, double start, double end)
    {
        _isLogarithmic = axis.IsLogarithmic;
        _start = start;
        _end = end;
        (double least, double most) = RangeOf(values);
        least = axis.Least ?? least;
        most = axis.Most ?? most;

        if (_isLogarithmic)
        {
            _least = axis.Least > 0 ? least : PowerOfTen(Math.Floor(Math.Log10(least)));
            _most = axis.Most > _least ? most : PowerOfTen(Math.Ceiling(Math.Log10(Math.Max(most, least))));
            _most = _most > _least ? _most : 10 * _least;
            return;
        }

        if (axis.Least is null && least > 0 && (most - least > ShareCountedAsNearZero * most || most == least))
        {
            least = 0;
        }

        most = most > least ? most : least + 1;
        _step = RoundStep((most - least) / MostSteps);
        _least = axis.Least ?? Math.Floor(least / _step) * _step;
        _most = axis.Most > _least ? most : Math.Ceiling(most / _step) * _step;
    }

    internal double Least => _least;

    internal double Most => _most;

    /// <summary>True if the value has a place on the axis, its ends included.</summary>
    internal bool Shows(double value) => double.IsFinite(value) && value >= _least && value <= _most;

    /// <summary>The coordinate of a value; values beyond the ends lie on them.</summary>
    internal double Map(double value)
    {
        double inside = Math.Clamp(value, _least, _most);
        double share = _isLogarithmic
            ? Math.Log10(inside / _least) / Math.Log10(_most / _least)
            : (inside - _least) / (_most - _least);
        return _start + (share * (_end - _start));
    }

    /// <summary>The values that get a mark, rising.</summary>
    internal IReadOnlyList<double> Marks()
    {
        List<double> marks = [];

        if (!_isLogarithmic)
        {
            // Counted and multiplied, not added up: 0.1 ten times is not 1.
            long first = (long)Math.Ceiling((_least / _step) - 1e-9);

            for (long i = first; i * _step <= _most + (_step * 1e-9); i++)
            {
                marks.Add(i * _step);
            }

            return marks;
        }

        double[] digits = Math.Log10(_most / _least) <= 2 ? [1, 2, 5] : [1];

        for (double power = Math.Floor(Math.Log10(_least)); PowerOfTen(power) <= _most * 1.000001; power++)
        {
            marks.AddRange(digits.Select(digit => digit * PowerOfTen(power))
                .Where(mark => mark >= _least * 0.999999 && mark <= _most * 1.000001));
        }

        return marks;
    }

    /// <summary>A value as its mark is labelled: 1500000 is 1.5 M.</summary>
    internal static string LabelOf(double value) => Math.Abs(value) switch
    {
        >= 1e9 => Short(value / 1e9) + " G",
        >= 1e6 => Short(value / 1e6) + " M",
        >= 1e4 => Short(value / 1e3) + " k",
        _ => Short(value),
    };

    private static string Short(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static double PowerOfTen(double power) => Math.Pow(10, power);

    private (double Least, double Most) RangeOf(IEnumerable<double> values)
    {
        double least = double.PositiveInfinity;
        double most = double.NegativeInfinity;

        foreach (double value in values)
        {
            if (double.IsFinite(value) && (value > 0 || !_isLogarithmic))
            {
                least = Math.Min(least, value);
                most = Math.Max(most, value);
            }
        }

        return least <= most ? (least, most) : (1, 1);
    }

    // The next larger of 1, 2 and 5 times a power of ten.
    private static double RoundStep(double step)
    {
        double power = PowerOfTen(Math.Floor(Math.Log10(step)));

        foreach (int digit in (ReadOnlySpan<int>)[1, 2, 5])
        {
            if (step <= digit * power * 1.000001)
            {
                return digit * power;
            }
        }

        return 10 * power;
    }
}
