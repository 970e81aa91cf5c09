namespace Curvature.FSharp

open System
open Curvature

/// How often a listener is told: seconds between two reports at least, by a clock.
[<NoEquality; NoComparison>]
type internal ProgressRate =
    {
        Seconds: float
        Clock: TimeProvider
    }

    /// Ten reports a second.
    static member Default = { Seconds = 0.1; Clock = TimeProvider.System }

    /// Another time between reports; 0 for every report. Raises ArgumentRangeException for one that is negative or NaN.
    member rate.WithSeconds name (seconds: float) =
        if not (seconds >= 0.0) then
            Fail.range $"{name}: a time cannot be negative, and it is {seconds}"

        { rate with Seconds = seconds }

/// Decides when a listener of one run is told: always for the first report and for those that are required, for
/// others when it is time.
[<Sealed>]
type internal ProgressPace(rate: ProgressRate) =
    let mutable last = ValueNone

    /// Tells a listener, if there is one, what a function makes, where a report is due.
    member _.Report(listener: IProgress<'T> | null, isRequired: bool, make: unit -> 'T) =
        let isDue () =
            match last with
            | ValueSome time when not isRequired -> rate.Clock.GetElapsedTime(time).TotalSeconds >= rate.Seconds
            | _ -> true

        match listener with
        | null -> ()
        | listener ->
            if isDue () then
                last <- ValueSome(rate.Clock.GetTimestamp())
                listener.Report(make ())
