namespace Curvature.Bench

open System
open System.Diagnostics
open System.Runtime.CompilerServices
open Curvature
open Curvature.FSharp

/// The most memory that Hessians at several points in turn take, each case in a process of its own.
[<AbstractClass; Sealed>]
type Points private () =

    static let cases = [ "one"; "disposed"; "dropped"; "kept" ]

    static let gibibytes (bytes: int64) = float bytes / float (1L <<< 30)

    /// A product and a quadratic form.
    static let study (v: Tensor) (hessian: LinearOperator) =
        hessian.Apply v |> ignore
        hessian.QuadraticForm v |> ignore

    /// Unoptimised code keeps what its variables held until the end of a function; here that is one point.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private At (family: Tensor -> LossPoint) (v: Tensor) (theta: Tensor) : LinearOperator =
        let hessian = (family theta).Hessian
        study v hessian
        hessian

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private Drop(family, v, theta) = Points.At family v theta |> ignore

    static member private PointsOf(theta: Tensor) = [ for i in 0..3 -> theta * (1.0 + 0.001 * float i) ]

    /// One case, in this process: what it took at the most is printed.
    static member Case(data: string option, case: string) =
        let workload = List.last (Workloads.all data)
        let theta = Tensor.flatten workload.Theta
        let family = Hessian.family (Risk.ofFunction workload.Loss)
        let v = Tensor.normal (Key.OfSeed 1L) workload.DType [ theta.Size ]

        match case with
        | "one" -> Points.At family v theta |> GC.KeepAlive
        | "disposed" ->
            for point in Points.PointsOf theta do
                (Points.At family v point).Dispose()
        | "dropped" ->
            for point in Points.PointsOf theta do
                Points.Drop(family, v, point)
        | _ ->
            let all = Points.PointsOf theta |> List.map (Points.At family v)
            GC.KeepAlive all

        let peak = gibibytes (Process.GetCurrentProcess().PeakWorkingSet64)
        printfn $"  {case, -9} {peak:F2} GiB"

    static member Run(data: string) =
        printf "A product and a quadratic form at one point, and at four in turn whose operators are "
        printfn "disposed of, dropped or kept:"

        for case in cases do
            Measured.start Environment.ProcessorCount [ "points"; case; "--data"; data ] |> printf "%s"
