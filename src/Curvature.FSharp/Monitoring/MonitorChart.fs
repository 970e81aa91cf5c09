namespace Curvature.FSharp

open System
open Curvature

/// Charts of what a monitor has seen.
module internal MonitorChart =

    /// A loss is drawn by the means of so many parts at most.
    let private mostPoints = 400

    let private loss (losses: float[]) : Chart =
        let size = max 1 ((losses.Length + mostPoints - 1) / mostPoints)
        let parts = losses |> Array.chunkBySize size
        let x = parts |> Array.mapi (fun i part -> float (i * size) + 0.5 * float (part.Length + 1))
        let y = parts |> Array.map Array.average
        let name = if size = 1 then "loss" else $"mean loss of {size} steps"
        Chart.create "Loss" (Axis.linear "step") (Axis.linear "loss") [ Series.line name x y ]

    let private steps (records: MonitorRecord[]) = records |> Array.map (fun record -> float record.Step)

    /// An end that is not known breaks the band.
    let private ends (interval: Interval<float>) : struct (float * float) =
        if Double.IsFinite interval.Low && Double.IsFinite interval.High then
            struct (interval.Low, interval.High)
        else
            struct (nan, nan)

    let private band (name: string) (records: MonitorRecord[]) (estimate: MonitorRecord -> Estimate<float>) : Series =
        let ends = records |> Array.map (fun record -> ends ((estimate record).Interval 0.95))
        let low = ends |> Array.map (fun struct (low, _) -> low)
        let high = ends |> Array.map (fun struct (_, high) -> high)
        Series.band name (steps records) low high

    let private sharpness (records: MonitorRecord[]) : Chart =
        let x = steps records
        let limit = records |> Array.map (fun record -> 2.0 / record.LearningRate)

        Chart.create
            "Sharpness"
            (Axis.linear "step")
            (Axis.linear "largest eigenvalue")
            [
                (band "95 % interval" records _.Sharpness).WithAccent 1
                (Series.line "sharpness" x (records |> Array.map _.Sharpness.Value)).WithAccent 1
                if limit |> Array.exists Double.IsFinite then
                    (Series.dashed "2/learning rate" x limit).WithAccent 2
            ]

    let private trace (records: MonitorRecord[]) : Chart =
        Chart.create
            "Trace of the Hessian"
            (Axis.linear "step")
            (Axis.linear "trace")
            [
                (band "95 % interval" records _.Trace).WithAccent 1
                (Series.line "trace" (steps records) (records |> Array.map _.Trace.Value)).WithAccent 1
            ]

    let private noise (records: MonitorRecord[]) : Chart list =
        let measured =
            records
            |> Array.choose (fun record ->
                match record.NoiseScale with
                | null -> None
                | noise -> Some struct (float record.Step, noise))

        if measured.Length = 0 then
            []
        else
            let x = measured |> Array.map (fun struct (step, _) -> step)
            let intervals = measured |> Array.map (fun struct (_, noise) -> ends (noise.Interval 0.95))
            let low = intervals |> Array.map (fun struct (low, _) -> low)
            let high = intervals |> Array.map (fun struct (_, high) -> high)

            let values =
                measured
                |> Array.map (fun struct (_, noise) -> if Double.IsFinite noise.Value then noise.Value else nan)

            [
                Chart.create
                    "Gradient noise scale"
                    (Axis.linear "step")
                    (Axis.linear "samples")
                    [
                        (Series.band "95 % interval" x low high).WithAccent 1
                        (Series.line "noise scale" x values).WithAccent 1
                    ]
            ]

    /// The loss, the sharpness beside 2/learning rate, the trace, and the noise scale where it was measured.
    let all (losses: float[]) (records: MonitorRecord[]) : Chart list =
        [ loss losses; sharpness records; trace records ] @ noise records
