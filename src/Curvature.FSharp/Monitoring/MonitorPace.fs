namespace Curvature.FSharp

open System
open Curvature

/// Decides when a monitor measures, so that measurements take no more than a share of the time: a measurement is due
/// where what was spent and what it is expected to cost are within the share. It is expected to cost as much as the
/// cheapest of the last four, as the first ones compile; what it costs beyond that is waited for afterwards. The first
/// is expected to cost as much as a number of steps.
[<Sealed>]
type internal MonitorPace(share: float, clock: TimeProvider) =
    let costs = Collections.Generic.Queue<float>()
    let mutable last = ValueNone
    let mutable steps = 0.0
    let mutable counted = 0
    let mutable spent = 0.0

    /// Seconds outside of measurements.
    member _.StepSeconds = steps

    /// Seconds of all measurements.
    member _.Spent = spent

    /// The share of the time that went into measurements.
    member _.ShareSpent = if spent = 0.0 then 0.0 else spent / (steps + spent)

    /// Time that passes from here to the next step is not counted.
    member _.Pause() = last <- ValueNone

    /// A step is done: the time since the last one, or since the last measurement, was its time.
    member _.Step() =
        match last with
        | ValueSome stamp ->
            steps <- steps + clock.GetElapsedTime(stamp).TotalSeconds
            counted <- counted + 1
        | ValueNone -> ()

        last <- ValueSome(clock.GetTimestamp())

    /// Whether it is time, where the first measurement is like this many steps.
    member _.IsDue(firstInSteps: float) : bool =
        let expected =
            if costs.Count > 0 then Seq.min costs
            elif counted = 0 then infinity
            else firstInSteps * steps / float counted

        expected < infinity && spent + expected <= share * (steps + spent + expected)

    /// Measures, and counts the time.
    member _.Measure(measure: unit -> 'T) : struct ('T * float) =
        let start = clock.GetTimestamp()

        try
            let result = measure ()
            let seconds = clock.GetElapsedTime(start).TotalSeconds
            costs.Enqueue seconds
            if costs.Count > 4 then costs.Dequeue() |> ignore
            struct (result, seconds)
        finally
            spent <- spent + clock.GetElapsedTime(start).TotalSeconds
            last <- ValueSome(clock.GetTimestamp())

    interface ISavable with
        member _.Save writer =
            writer.Write steps
            writer.Write counted
            writer.Write spent
            writer.Write costs.Count
            costs |> Seq.iter writer.Write

        member _.Restore reader =
            steps <- reader.ReadMagnitude "the time of steps"
            counted <- reader.ReadWithin(Int32.MaxValue, "steps")
            spent <- reader.ReadMagnitude "the time of measurements"
            costs.Clear()

            for _ in 1 .. reader.ReadWithin(4, "costs") do
                costs.Enqueue(reader.ReadMagnitude "a cost")

            last <- ValueNone
