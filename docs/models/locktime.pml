/* Lock-time: one sequence server, three members, links that break and processes that die.

   What is modelled, what is not, the cases, and which switch removes which rule: README.md beside this file.
   Numbers in brackets are sections of lock-time, clauses (Q-n.m) those of docs/protocol/sequencing.md.

   One case:   spin -a -DCASE=1 locktime.pml; cc -fwrapv -DSAFETY -DNOREDUCE -DVECTORSZ=1024 -o pan pan.c; ./pan -m2000
   All:        .ci/models

   A tag is a small number, a round is one, TOP is above all. A member is a deterministic program of what it was
   granted; which commit is handled when, which link breaks when and who comes back is up to the checker.

   Asserted: nothing arrives at or below a grant, or below what is sealed; every batch comes once, whole, in the order
   of its keys; server and member have the same digest. At the end of every execution: everybody is through, or the
   loss of a member explains why not by its policy; and the history is that of a reference without links, evaluations
   and bounds, which is told only the configuration and the facts from outside. */

#define TRIANGLE 1      /* all talk to all: two messages with one arrival, Next that others wake */
#define CHAIN    2      /* 2 takes up sending late; it wakes 1, and that makes 1 speak to 0 */
#define QUIET    3      /* messages that wake nobody, a look-ahead that shrinks, a promise */
#define EARLIEST 4      /* 2 comes when it likes, as early as it can be let in */
#define ROSTER   5      /* 2 comes when it likes, at the tag that the configuration names */

#ifndef CASE
#define CASE TRIANGLE
#endif
#ifndef FAULTS
#define FAULTS 1        /* links that break, each with its process or without */
#endif

#define M    3
#define TOP  15
#define JOIN 2          /* its join tag in ROSTER */
#define LAST 2          /* the one that is late in CHAIN, EARLIEST and ROSTER */

/* Who publishes to whom: bit 3s + r. All of EDGES bound, those of WAKES also end a Next (3.1, 3.2). */
#define BIT(s, r) (1 << (3 * (s) + (r)))
#define ALL_TO_ALL (BIT(0,1) | BIT(0,2) | BIT(1,0) | BIT(1,2) | BIT(2,0) | BIT(2,1))

#if CASE == TRIANGLE
#define EDGES ALL_TO_ALL
#define WAKES EDGES
#define END   4
#elif CASE == CHAIN
#define EDGES (BIT(2,1) | BIT(1,0))
#define WAKES EDGES
#define END   5
#elif CASE == QUIET
#define EDGES (BIT(0,1) | BIT(0,2) | BIT(1,2) | BIT(2,1))
#define WAKES (BIT(0,2) | BIT(1,2) | BIT(2,1))
#define END   4
#else
#define EDGES (BIT(0,1) | BIT(1,0) | BIT(0,2) | BIT(2,1))
#define WAKES EDGES
#define END   3
#endif

#define EDGE(s, r)  ((EDGES >> (3 * (s) + (r))) & 1)
#define WAKES_(s, r) ((WAKES >> (3 * (s) + (r))) & 1)
#define MAX(a, b)   ((a) > (b) -> (a) : (b))
#define MIN(a, b)   ((a) < (b) -> (a) : (b))

mtype = { TO, NEXT, LEAVE };                                        /* how a commit ends */
mtype = { HELLO, COMMIT, WELCOME, DELIVER, GRANT, OVER, REJECT };   /* frames */
mtype = { STALL, RESIGN, ABORT };                                   /* crash policies (8.4) */

/* ---- links: reliable and in order while they stand; what was under way is lost with them ------------------------- */

#ifdef HALF_COMMIT
#define FRAMES 2
#else
#define FRAMES 1
#endif

chan up[M] = [FRAMES] of { mtype, byte, byte, byte, byte, byte, byte, mtype, byte, int };
/*            HELLO   link, session (0: none yet), grants
              COMMIT  link, step, arrival of a publication or 0, promise, look-ahead, role, request, target, digest */
chan down[M] = [4] of { mtype, byte, byte, int };
/*            WELCOME applied step, session   DELIVER batch   GRANT tag, F   OVER   REJECT */

byte link[M];           /* the member's connection, counted; 0 none yet */
bool stands[M];         /* it works */
byte heard[M];          /* the connection on which the server hears the member; 0 none */
byte faults = FAULTS;

/* ---- a member and its library ------------------------------------------------------------------------------------ */

#define OUTSIDE 0       /* said no hello yet */
#define POINT   1       /* at a sequence point: may commit */
#define WAITING 2       /* committed */
#define DONE    3       /* told that the run is over */
#define GONE    4       /* the process died or gave up, and nobody comes back */
#define REFUSED 5       /* told that its session is over, or the run */

byte at[M];
bool asked[M];          /* said hello on this link, and was not answered */
byte mSession[M], mGrants[M], mStep[M], mNow[M], mF[M];
int  mBatch[M];         /* records of the last grant */
int  mHalf[M];          /* records that came since */
int  mDigest[M];

/* ---- the server: a function of the configuration, of commits and of facts from outside --------------------------- */

#define ABSENT 0
#define LIVE   1
#define LOST   2
#define OUT    3

#define RUNNING 0
#define ENDED   1
#define ABORTED 2

byte life[M], session[M], grants[M], step[M];
bool kept[M];           /* the last batch and grant, until the next commit proves that they came (Q-6.7) */
int  keptBatch[M], digest[M];
byte now[M], F[M], L[M], sub[M];
bool sends[M];
mtype request[M];       /* 0 while it runs */
byte target[M];
chan inbox[M] = [7] of { short };
byte latest, sealed, floor_;
byte phase;
bool changed;           /* since the last evaluation */
mtype policy;           /* of whoever is lost; open until it matters */

/* Facts from outside, all that a repetition would have to be told. */
byte factF, factJoin;   /* where the late one was first heard, and let in */
byte factNow[M];        /* N of everybody at that moment, */
byte factSub[M];        /* and how much everybody had published */
bool factOut[M];        /* taken out, */
byte factSteps[M];      /* after so many commits */

/* A message is its key: arrival, send tag, publisher, sub-sequence, 4 + 4 + 2 + 3 bits, so that the order of numbers is
   that of delivery (7.1). What is counted in the digest does not depend on how the key orders. */
#ifdef TIE_BY_RECEIPT
byte posted;
#define KEY(p, sent, s, n) (((p) << 9) | (posted << 5) | ((s) << 3) | (n))
#else
#define KEY(p, sent, s, n) (((p) << 9) | ((sent) << 5) | ((s) << 3) | (n))
#endif
#define ARRIVAL(key)   ((key) >> 9)
#define PUBLISHER(key) (((key) >> 3) & 3)
#define RECORD(key)    ((ARRIVAL(key) << 5) | ((key) & 31))

#define SEES(i) (heard[i] != 0 && heard[i] == link[i] && stands[i])
#define IN_RUN(i) (life[i] != OUT && !(CASE == EARLIEST && life[i] == ABSENT))

/* Scratch of deterministic steps: never part of the state. */
hidden byte x, y, z, w, g, p, l, best, found, e[M];
hidden short key;
hidden int batch, mark;
hidden byte more, replay;
hidden byte cPub, cPromise, cLook, cRole, cTarget;
hidden mtype cRequest;

/* ---- what members do: cases -------------------------------------------------------------------------------------- */

/* The look-ahead before the k-th commit: 0 of QUIET shrinks its own with the second. */
#if CASE == QUIET
#define LOOK(i, k) ((i) == 0 && (k) <= 2 -> 3 : 1)
#else
#define LOOK(i, k) 1
#endif

/* The k-th commit at tag n after a batch, with F as told; everybody leaves at the end. */
inline Program(i, k, n, got, f) {
    cPub = 0; cPromise = 0; cLook = 0; cRole = 0; cRequest = TO; cTarget = END;
    p = MAX(f, n + LOOK(i, k));
    if
    :: n >= END -> cRequest = LEAVE; cTarget = 0
    :: else ->
#if CASE == TRIANGLE
        if
        :: i == 0 -> cPub = p; cTarget = MIN(n + 2, END)
        :: i == 1 -> cRequest = NEXT; cPub = (got -> p : 0)
        :: i == 2 -> cRequest = NEXT; cPub = (k == 1 -> p : 0)
        fi
#elif CASE == CHAIN
        if
        :: i == 0 -> cPub = (k == 1 -> 3 : 0); cTarget = (k == 1 -> 2 : END)
        :: i == 1 -> cRequest = NEXT; cPub = (got -> p : 0)
        :: i == 2 -> cRole = (k == 2); cPub = (k == 3 && p <= END -> p : 0); cTarget = (k < 3 -> n + 1 : END)
        fi
#elif CASE == QUIET
        if
        :: i == 0 -> cLook = (k == 2); cPub = (k == 1 || k == 3 -> p : 0); cTarget = n + 1
        :: i == 1 -> cRequest = NEXT; cPub = (got -> p : 0); cPromise = (k == 1 -> 4 : (k == 2 -> 2 : 0))
        :: i == 2 -> cPub = (k <= 2 -> p : 0); cTarget = n + 1
        fi
#else
        if
        :: i == 0 -> cPub = p; cTarget = n + 1
        :: i == 1 -> cRequest = NEXT; cPub = (got -> p : 0)
        :: i == 2 -> cPub = p; cTarget = n + 1
        fi
#endif
    fi
}

/* ---- the server's steps ------------------------------------------------------------------------------------------ */

inline Send(to, what, value, other, word) {
    if :: SEES(to) -> down[to]!what(value, other, word) :: else fi
}

inline SendKept(i) {
    if :: keptBatch[i] != 0 -> Send(i, DELIVER, 0, 0, keptBatch[i]) :: else fi;
    Send(i, GRANT, now[i], F[i], 0)
}

/* The arrival of the first message that ends a Next, or TOP. Turns the inbox round once. */
inline Head(i) {
    g = TOP; w = len(inbox[i]);
    do
    :: w > 0 -> w--; inbox[i]?key; inbox[i]!key;
        if :: g == TOP && WAKES_(PUBLISHER(key), i) -> g = ARRIVAL(key) :: else fi
    :: else -> break
    od
}

/* G of 3.3 for who waits. */
inline Target(i) {
    if
    :: request[i] == NEXT -> Head(i); g = MIN(g, target[i])
    :: else -> g = target[i]
    fi
}

/* 3.2: e[] = E of everybody; a fixed point from above, three members need no queue. */
inline Bounds() {
    x = 0;
    do
    :: x < M ->
        if
        :: !IN_RUN(x) || !sends[x] -> e[x] = TOP
#ifdef FORGET_LOST
        :: life[x] == LOST -> e[x] = TOP
#endif
#ifdef FORGET_ABSENT
        :: life[x] == ABSENT -> e[x] = TOP
#endif
        :: else ->
            if :: request[x] == 0 -> g = now[x] :: else -> Target(x); g = MAX(now[x], g) fi;
            e[x] = MIN(MAX(F[x], g + L[x]), TOP)
        fi;
        x++
    :: else -> break
    od;
#ifndef NO_WOKEN_BOUND
    more = true;
    do
    :: more -> more = false; x = 0;
        do
        :: x < M * M ->
            y = x / M; z = x % M;
            if
            :: WAKES_(y, z) && sends[z] && request[z] == NEXT && e[y] < TOP ->
                g = MIN(MAX(F[z], MAX(now[z], e[y]) + L[z]), TOP);
                if :: g < e[z] -> e[z] = g; more = true :: else fi
            :: else
            fi;
            x++
        :: else -> break
        od
    :: else -> break
    od;
#endif
    floor_ = MIN(e[0], MIN(e[1], e[2]))
}

/* W (7.3); no higher than what was published needs, or nobody could take up sending once nobody sends (decision 15). */
#ifdef FLOOR_OF_NOBODY
#define FLOOR floor_
#else
#define FLOOR MIN(floor_, latest + 1)
#endif

/* What arrives up to tag g goes into the batch of i, in the order of keys. */
inline Cut(i) {
    batch = 0;
    do
    :: len(inbox[i]) > 0 ->
        inbox[i]?<key>;
        if
        :: ARRIVAL(key) <= g ->
            inbox[i]?key;
            assert(ARRIVAL(key) > now[i]);
            batch = batch * 8191 + RECORD(key)
        :: else -> break
        fi
    :: else -> break
    od;
    digest[i] = (digest[i] * 31 + batch) * 31 + g + 1;
    now[i] = g; request[i] = 0; target[i] = 0; grants[i]++; keptBatch[i] = batch
}

/* 3.3: a grant moves no bound, so one pass over all is complete. */
inline Evaluate() {
    Bounds();
    sealed = MAX(sealed, FLOOR);
    x = 0;
    do
    :: x < M ->
        if
        :: life[x] == LIVE && request[x] != 0 ->
            best = TOP; y = 0;
            do
            :: y < M ->
#ifdef WAKING_BOUND
                if :: WAKES_(y, x) -> best = MIN(best, e[y]) :: else fi;
#else
                if :: EDGE(y, x) -> best = MIN(best, e[y]) :: else fi;
#endif
                y++
            :: else -> break
            od;
            Target(x);
            if
#ifdef NOT_STRICT
            :: best >= g ->
#else
            :: best > g ->
#endif
                assert(g >= now[x]);
                Cut(x);
                kept[x] = true;
                SendKept(x)
#ifdef FORCED_GRANT
            :: best <= g && x == 0 -> Cut(x); kept[x] = true; SendKept(x)
#endif
            :: else
            fi
        :: else
        fi;
        x++
    :: else -> break
    od
}

/* Where a member that takes up sending, or joins, is first heard (Q-6.11, decision 15). */
inline LateSender(i) {
#ifdef LATE_BELOW_FLOOR
    p = 0;
#else
    p = FLOOR;
#endif
#ifndef LATE_ANYWHERE
    found = 1 << i; more = true;
    do
    :: more -> more = false; x = 0;
        do
        :: x < M * M ->
            y = x / M; z = x % M;
#ifdef LATE_DIRECT
            if :: EDGE(y, z) && y == i && IN_RUN(z) && !((found >> z) & 1) ->
#else
            if :: EDGE(y, z) && ((found >> y) & 1) && (y == i || sends[y]) && IN_RUN(z) && !((found >> z) & 1) ->
#endif
                found = found | (1 << z); p = MAX(p, now[z] + 1); more = true
            :: else
            fi;
            x++
        :: else -> break
        od
    :: else -> break
    od;
#endif
    x = 0;
    do :: x < M -> factNow[x] = now[x]; factSub[x] = sub[x]; x++ :: else -> break od
}

#ifdef F_ALONE
#define BEFORE(s, r, arrival) false
#else
#define BEFORE(s, r, arrival) (replay && arrival <= factNow[r] && sub[s] > factSub[s])
#endif

inline Publish(i, arrival) {
    sub[i]++; latest = MAX(latest, arrival); x = 0;
    assert(replay || arrival >= sealed);
    do
    :: x < M ->
        if
        :: EDGE(i, x) && IN_RUN(x) ->
            if
            :: BEFORE(i, x, arrival)                            /* x had left by then (decision 17) */
            :: arrival > now[x] && !BEFORE(i, x, arrival) -> inbox[x]!!KEY(arrival, now[i], i, sub[i])
            :: else ->
                /* Before its join tag a member has a history, which is not modelled. After, a message is late. */
                assert(grants[x] == 0 || (replay && grants[x] == 1 && x == LAST && CASE >= EARLIEST))
            fi
        :: else
        fi;
        x++
    :: else -> break
    od
#ifdef TIE_BY_RECEIPT
    ; posted++
#endif
}

inline Empty(i) {
    do :: len(inbox[i]) > 0 -> inbox[i]?key :: else -> break od
}

inline Leave(i) {
    life[i] = OUT; sends[i] = false; request[i] = 0; target[i] = 0; kept[i] = false; keptBatch[i] = 0;
    Empty(i);
    if
    :: !IN_RUN(0) && !IN_RUN(1) && !IN_RUN(2) ->
        phase = ENDED;
        Send(0, OVER, 0, 0, 0); Send(1, OVER, 0, 0, 0); Send(2, OVER, 0, 0, 0)
    :: else
    fi
}

/* 5.2: the elements of a commit in their order, all of them or, by an assertion, none. */
inline Apply(i, first, promise, look, role, ends, until) {
    step[i]++;
    if
    :: first != 0 ->
        assert(sends[i] && first >= MAX(F[i], now[i] + L[i]));      /* else LookaheadViolation */
        Publish(i, first)
    :: else
    fi;
#ifdef PROMISE_FALLS
    if :: promise != 0 -> F[i] = promise :: else fi;
#else
    if :: promise > F[i] -> F[i] = promise :: else fi;
#endif
    if
    :: look != 0 ->
#ifndef LOOKAHEAD_NO_PROMISE
        F[i] = MAX(F[i], now[i] + L[i]);
#endif
        L[i] = look
    :: else
    fi;
    if
    :: role != 0 && !replay ->
        LateSender(i);
        F[i] = MAX(p, now[i] + L[i]); factF = F[i]; sends[i] = true;
        assert(p < TOP)
    :: role != 0 && replay -> F[i] = factF; sends[i] = true
    :: else
    fi;
    if
    :: ends == LEAVE -> Leave(i)
    :: else -> request[i] = ends; target[i] = until
    fi
}

inline HandleCommit(i, number, said, promised, looks, takes, asks, till, hash) {
    if
    :: phase == ABORTED                                                         /* Stopped */
#ifdef HALF_COMMIT
    :: phase == RUNNING && asks == 0 -> Publish(i, said)
#endif
#ifndef NO_STEPS
    :: phase != ABORTED && number <= step[i]                                    /* said before: dropped (Q-3.5) */
#endif
    :: else ->
        assert(phase == RUNNING && life[i] == LIVE);                            /* else NotJoined */
#ifndef NO_STEPS
        assert(number == step[i] + 1 && request[i] == 0);                   /* else WrongSequence, AlreadyRequesting */
        assert(hash == digest[i]);                                          /* else DigestMismatch */
#endif
        kept[i] = false; keptBatch[i] = 0;
        Apply(i, said, promised, looks, takes, asks, till);
        changed = true
    fi
}

/* Q-2.5, Q-2.9, Q-2.10, Q-12.2, Q-12.6 */
inline HandleHello(i, on, s, has) {
    if
    :: s == 0 && life[i] == ABSENT && phase == RUNNING ->
        heard[i] = on; session[i] = 1; life[i] = LIVE;
#if CASE == EARLIEST
        LateSender(i);
        F[i] = p; factF = p; sends[i] = true;
        now[i] = MAX(p - MIN(p, L[i]), latest); factJoin = now[i];
#ifdef JOIN_AT_ITS_WISH
        now[i] = 0; F[i] = 1; factF = 1; factJoin = 0;
#endif
#endif
        request[i] = TO; target[i] = now[i];
        changed = true;
        Send(i, WELCOME, 0, 1, 0)
    :: s == 0 && life[i] == LOST && step[i] == 0 && phase == RUNNING ->
        /* Nothing was said yet: another process may begin anew (Q-6.6). */
        heard[i] = on; life[i] = LIVE; changed = true;
        Send(i, WELCOME, 0, session[i], 0);
        if :: kept[i] -> SendKept(i) :: else fi
#ifdef NO_SESSIONS
    :: s != 0 && phase != ABORTED ->
        if :: factOut[i] -> life[i] = LIVE; sends[i] = true :: else fi;
#else
    :: s != 0 && s == session[i] && phase != ABORTED ->
#endif
        heard[i] = on;
        if :: life[i] == LOST -> life[i] = LIVE; changed = true :: else fi;
        Send(i, WELCOME, step[i], s, 0);
        assert(has == grants[i] || (has + 1 == grants[i] && kept[i]));            /* else WrongSequence */
        if
#ifndef NO_KEPT_GRANT
#ifdef KEPT_ALWAYS
        :: kept[i] -> SendKept(i)
#else
        :: has < grants[i] && kept[i] -> SendKept(i)
#endif
#endif
        :: else
        fi;
        if :: phase == ENDED -> Send(i, OVER, 0, 0, 0) :: else fi
    :: else ->
        heard[i] = on;
        Send(i, REJECT, 0, 0, 0);
        heard[i] = 0
    fi
}

/* 8.4. The transport says so, never a clock. */
inline HandleLoss(i) {
    heard[i] = 0;
    if
    :: life[i] == LIVE && phase == RUNNING ->
        if
        :: policy == STALL -> life[i] = LOST
#ifdef NO_POLICY
        :: policy == RESIGN -> life[i] = LOST
#else
        :: policy == RESIGN ->
            factOut[i] = true; factSteps[i] = step[i];
#ifdef REMOVAL_TAKES_BACK
            x = 0;
            do
            :: x < M -> w = len(inbox[x]);
                do
                :: w > 0 -> w--; inbox[x]?key;
                    if :: PUBLISHER(key) != i -> inbox[x]!key :: else fi
                :: else -> break
                od;
                x++
            :: else -> break
            od;
#endif
            session[i]++;
            Leave(i)
#endif
        :: policy == ABORT ->
            phase = ABORTED; life[i] = LOST;
            Send(0, REJECT, 0, 0, 0); Send(1, REJECT, 0, 0, 0); Send(2, REJECT, 0, 0, 0)
        fi;
        changed = true
    :: else
    fi
}

/* ---- the reference: the same programs, everybody in turn, the smallest G first (4, theorems 2 and 4) ------------- */

inline Start(i) {
    life[i] = LIVE; session[i] = 1; grants[i] = 1; step[i] = 0; now[i] = 0; F[i] = 1; L[i] = LOOK(i, 1); sub[i] = 0;
    sends[i] = !(CASE == CHAIN && i == LAST);
    request[i] = 0; target[i] = 0; digest[i] = 0; keptBatch[i] = 0
}

inline Reference() {
    replay = true; latest = 0; sealed = 0; phase = RUNNING; y = 0;
    do :: y < M -> Empty(y); Start(y); heard[y] = 0; y++ :: else -> break od;
#if CASE == EARLIEST
    now[LAST] = factJoin; F[LAST] = factF; digest[LAST] = factJoin + 1;
    if :: factJoin == TOP -> life[LAST] = OUT :: else fi;
#elif CASE == ROSTER
    now[LAST] = JOIN; digest[LAST] = JOIN + 1;
#endif
    more = true;
    do
    :: more ->
        y = 0;
        do
        :: y < M ->
            if
            :: life[y] == LIVE && request[y] == 0 && factOut[y] && factSteps[y] == step[y] -> Leave(y)
            :: life[y] == LIVE && request[y] == 0 && !(factOut[y] && factSteps[y] == step[y]) ->
                Program(y, step[y] + 1, now[y], keptBatch[y] != 0, F[y]);
                Apply(y, cPub, cPromise, cLook, cRole, cRequest, cTarget)
            :: else
            fi;
            y++
        :: else -> break
        od;
        best = TOP; y = 0; more = false;
        do
        :: y < M ->
            if
            :: life[y] == LIVE ->
                Target(y);
                if :: g < best -> best = g; z = y; more = true :: else fi
            :: else
            fi;
            y++
        :: else -> break
        od;
        if :: more -> g = best; Cut(z) :: else fi
    :: else -> break
    od;
    replay = false
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

init {
    d_step {
        x = 0;
        do
        :: x < M ->
            Start(x);
            link[x] = 1; stands[x] = true; heard[x] = 1;
            at[x] = POINT; mSession[x] = 1; mGrants[x] = 1; mF[x] = 1; kept[x] = true;
            x++
        :: else -> break
        od;
#if CASE >= EARLIEST
        link[LAST] = 0; stands[LAST] = false; heard[LAST] = 0; kept[LAST] = false; session[LAST] = 0; grants[LAST] = 0;
        at[LAST] = OUTSIDE; mSession[LAST] = 0; mGrants[LAST] = 0; mF[LAST] = 0; life[LAST] = ABSENT;
        factJoin = TOP;
#if CASE == EARLIEST
        sends[LAST] = false; F[LAST] = 0;
#else
        now[LAST] = JOIN;
#endif
#endif
        floor_ = 1; changed = false; x = 0
    };
    atomic { run Server(); run Member(0); run Member(1); run Member(2); run Judge() }
}

/* A first Hello for a name that still counts as here waits (Q-6.8), or its application tries again. */
#define MAY_READ(i) (nempty(up[i]) && !(at[i] == OUTSIDE && life[i] == LIVE))

#define CUT_OFF(i) (heard[i] != 0 && !SEES(i))

proctype Server() {
    byte i, on, a, b, c, d, r, t;
    mtype frame, how;
    int h;

end:
    do
    :: atomic {
        if
        :: MAY_READ(0) -> i = 0
        :: MAY_READ(1) -> i = 1
        :: MAY_READ(2) -> i = 2
        fi;
        d_step {
            up[i]?frame(on, a, b, c, d, r, how, t, h);
            if
            :: frame == HELLO -> HandleHello(i, on, a, b)
            :: frame == COMMIT && on == heard[i] -> HandleCommit(i, a, b, c, d, r, how, t, h)
            :: else                                             /* of a link that is closed: from nobody */
            fi;
            i = 0; on = 0; a = 0; b = 0; c = 0; d = 0; r = 0; t = 0; frame = 0; how = 0; h = 0
        } }
    :: atomic {
        if
        :: CUT_OFF(0) -> i = 0
        :: CUT_OFF(1) -> i = 1
        :: CUT_OFF(2) -> i = 2
        fi;
        if
        :: policy == 0 && !(CASE == EARLIEST && i == LAST) ->
            if :: policy = STALL :: policy = RESIGN :: policy = ABORT fi
        :: CASE == EARLIEST && i == LAST -> policy = RESIGN     /* Q-12.6 */
        :: else
        fi;
        d_step { HandleLoss(i); i = 0 } }
    :: d_step { changed && phase == RUNNING -> changed = false; Evaluate(); x = 0 }
    od
}

inline SayHello(i) {
    link[i]++; stands[i] = true; asked[i] = true;
    up[i]!HELLO(link[i], mSession[i], mGrants[i], 0, 0, 0, 0, 0, 0)
}

inline SayCommit(i) {
    /* The k-th commit is a function of the last grant, so a library that keeps it and one that has it made again by a
       process that returned to its ticket say the same. */
    Program(i, mStep[i], mNow[i], mBatch[i] != 0, mF[i]);
    assert(len(up[i]) == 0);
#ifdef HALF_COMMIT
    if :: cPub != 0 -> up[i]!COMMIT(link[i], mStep[i], cPub, 0, 0, 0, 0, 0, mDigest[i]); cPub = 0 :: else fi;
#endif
    up[i]!COMMIT(link[i], mStep[i], cPub, cPromise, cLook, cRole, cRequest, cTarget, mDigest[i])
}

inline Hear(i) {
    down[i]?frame(a, b, r);
    if
    :: frame == WELCOME ->
        asked[i] = false; mSession[i] = b;
        if
        :: at[i] == OUTSIDE -> at[i] = WAITING                  /* coming is asking for the join tag (Q-12.2) */
#ifndef NO_COMMIT_AGAIN
        :: at[i] == WAITING && mStep[i] > a -> SayCommit(i)
#endif
        :: else -> applied = a
        fi
    :: frame == DELIVER -> mHalf[i] = mHalf[i] * 8191 + r
    :: frame == GRANT ->
        assert(a >= mNow[i]);
        mBatch[i] = mHalf[i]; mHalf[i] = 0;
        mDigest[i] = (mDigest[i] * 31 + mBatch[i]) * 31 + a + 1;
        mNow[i] = a; mF[i] = b; mGrants[i]++; at[i] = POINT
    :: frame == OVER -> at[i] = DONE
    :: frame == REJECT -> at[i] = REFUSED
    fi;
    a = 0; b = 0; r = 0; frame = 0
}

/* The link is gone, and what it carried. Half a batch is none (5.2). */
inline Break(i) {
    faults--; stands[i] = false; asked[i] = false; applied = 0;
    do :: len(up[i]) > 0 -> up[i]?_, _, _, _, _, _, _, _, _, _ :: else -> break od;
    do :: len(down[i]) > 0 -> down[i]?_, _, _, _ :: else -> break od;
#ifndef HALF_BATCH
    mHalf[i] = 0;
#endif
    skip
}

#ifdef ANSWER_FIRST
#define WAITS_FOR_COMMIT(i) false
#else
#define WAITS_FOR_COMMIT(i) (at[i] == POINT && (down[i]?[GRANT] || down[i]?[DELIVER]))
#endif

proctype Member(byte i) {
    byte a, b, applied;         /* applied: what the server has of a process that came back before its commit */
    mtype frame;
    int r;

end:
    do
    :: d_step { at[i] == OUTSIDE && link[i] == 0 -> SayHello(i) }

    /* A commit ends the sequence point. What the server has already is made again, and not said. */
    :: d_step { at[i] == POINT && stands[i] && !asked[i] ->
        mStep[i]++; at[i] = WAITING;
        if
#ifndef NO_STEPS
        :: applied >= mStep[i]
#endif
        :: else -> SayCommit(i)
        fi;
        applied = 0 }

    /* What answers a commit waits for it (Q-6.7). */
    :: d_step { at[i] < DONE && nempty(down[i]) && !WAITS_FOR_COMMIT(i) -> Hear(i) }

    :: atomic { faults > 0 && stands[i] && at[i] < DONE ->
        d_step { Break(i) };
        if
        :: at[i] == OUTSIDE && CASE == EARLIEST -> at[i] = GONE     /* it never learned its session */
        :: at[i] == WAITING && mGrants[i] > 0 ->                    /* killed: another process begins at the ticket */
            mStep[i]--; at[i] = POINT; mHalf[i] = 0
        :: at[i] == WAITING || at[i] == POINT || at[i] == OUTSIDE
        fi }

    :: atomic { !stands[i] && link[i] > 0 && at[i] < DONE ->
        if
        :: SayHello(i)
        :: at[i] = GONE
        fi }
    od
}

#define ENDS(i) (at[i] == DONE || (at[i] == GONE && life[i] == OUT) \
    || (at[i] >= GONE && (factOut[i] || life[i] == ABSENT)))

/* Whom a run may wait for as long as it takes: who was lost with policy Stall, or is still to come, and does not. */
#define MISSED(i) (at[i] == GONE && ((life[i] == LOST && policy == STALL) || (CASE == ROSTER && life[i] == ABSENT)))

/* When nothing can happen any more. */
proctype Judge() {
    timeout;
    d_step {
        if
        :: phase == ABORTED -> assert(policy == ABORT)
        :: phase == RUNNING ->
            assert(MISSED(0) || MISSED(1) || MISSED(2))
        :: phase == ENDED ->
            assert(ENDS(0) && ENDS(1) && ENDS(2));
            Reference();
            assert(life[0] == OUT && life[1] == OUT && life[2] == OUT);
            assert(at[0] != DONE || digest[0] == mDigest[0]);
            assert(at[1] != DONE || digest[1] == mDigest[1]);
            assert(at[2] != DONE || digest[2] == mDigest[2])
        fi
    }
}
