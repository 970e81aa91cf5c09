namespace Curvature

open System
open Curvature.FSharp

/// Mean and variance of numbers that come one after the other (Welford 1962): exact for equal ones, and the same bits
/// however the numbers are cut into blocks.
[<Sealed>]
type internal RunningMoments() =
    let mutable count = 0
    let mutable mean = 0.0
    let mutable squares = 0.0
    let mutable cubes = 0.0
    // A power of two near the first number where squares of such numbers would vanish or overflow, else 1. Numbers
    // are divided by it.
    let mutable unit = 0.0

    let unitOf (x: float) =
        let size = abs x
        if size > 1e-120 && size < 1e120 then 1.0 else Math.ScaleB(1.0, Math.ILogB size)

    member _.Count = count
    member _.Mean = if unit = 0.0 then mean else mean * unit

    member _.Add(x: float) =
        if unit = 0.0 && x <> 0.0 && Double.IsFinite x then unit <- unitOf x
        let x = if unit = 0.0 then x else x / unit
        count <- count + 1
        let difference = x - mean
        let share = difference / float count
        cubes <- cubes + share * (share * difference * float (count - 1) * float (count - 2) - 3.0 * squares)
        mean <- mean + share
        squares <- squares + difference * (x - mean)

    /// The standard error of the mean; infinite for fewer than two numbers.
    member _.StandardError =
        if count < 2 then
            infinity
        else
            Math.Sqrt(squares / float (count - 1) / float count) * (if unit = 0.0 then 1.0 else unit)

    /// The skewness of the numbers, with the usual correction of its bias; 0 for fewer than three numbers, or equal
    /// ones.
    member _.Skewness =
        if count < 3 || squares <= 0.0 then
            0.0
        else
            let m = float count
            Math.Sqrt m * cubes / Math.Pow(squares, 1.5) * Math.Sqrt(m * (m - 1.0)) / (m - 2.0)

    interface ISavable with
        member _.Save writer =
            writer.Write count
            writer.Write mean
            writer.Write squares
            writer.Write cubes
            writer.Write unit

        member _.Restore reader =
            count <- reader.ReadCount()
            mean <- reader.ReadDouble()
            squares <- reader.ReadMagnitude "a sum of squares"
            cubes <- reader.ReadDouble()
            unit <- reader.ReadMagnitude "a unit"

module internal Moments =

    /// The standard deviation of samples; infinite for fewer than two.
    let deviation (samples: float seq) : float =
        let moments = RunningMoments()
        samples |> Seq.iter moments.Add
        moments.StandardError * sqrt (float moments.Count)
