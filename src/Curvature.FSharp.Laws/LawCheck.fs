namespace Curvature

open System
open System.Diagnostics
open System.Globalization

/// What a check of a law came to.
type LawVerdict =
    /// What was seen agrees with the law.
    | Holds = 0
    /// What was seen does not, but for false alarms of the rate that the options say.
    | Violated = 1
    /// Nothing could be said; the explanation says why.
    | Undecided = 2

/// A check that `Require` found not to hold.
type LawViolatedException(message: string) =
    inherit CurvatureException(message)

/// A law that was checked, and what came out.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LawCheck
    internal
    (law: string, verdict: LawVerdict, score: struct (float * float), samples: int, key: Key, explanation: string) =
    let struct (zScore, limit) = score

    /// What was checked, in a word or two.
    member _.Law = law

    /// What it came to.
    member _.Verdict = verdict

    /// How far off it was: in standard errors, corrected for skewness, for laws about expectations; in the rounding
    /// that is allowed, for laws that hold for every vector. NaN where that was not measured.
    member _.ZScore: float = zScore

    /// The largest magnitude of the score that passes; NaN where there is no score.
    member _.Limit: float = limit

    /// How many samples or vectors were looked at.
    member _.Samples = samples

    /// The key that replays the check.
    member _.Key = key

    /// What was compared with what.
    member _.Explanation = explanation

    /// Whether the law holds as far as can be seen.
    member _.Holds = (verdict = LawVerdict.Holds)

    /// Raises LawViolatedException, with all that is needed to replay the check, unless the law holds. This is the way
    /// into any test framework.
    member this.Require() : unit = if verdict <> LawVerdict.Holds then raise (LawViolatedException(string this))

    member internal _.Text =
        let number (x: float) = x.ToString("0.##", CultureInfo.InvariantCulture)

        let measured =
            if Double.IsNaN zScore then
                $"{samples} samples"
            else
                $"score {number zScore} where {number limit} passes, {samples} samples"

        $"{law}: {string(verdict).ToLowerInvariant()} ({measured}, {key}); {explanation}"

    override check.ToString() = check.Text
