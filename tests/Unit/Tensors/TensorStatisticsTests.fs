/// Reductions over any axes against plain loops.
module Curvature.Tests.Unit.Tensors.TensorStatisticsTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private normal seed shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

/// The elements that each entry of a reduction over axes is made of, in row-major order of what is left.
let private groups (axes: int list) (t: Tensor) : int list * float[] list =
    let shape, values = t.Shape, t.ToArray()
    let kept = [ 0 .. t.Rank - 1 ] |> List.except axes
    let indices = Array.init values.Length (fun i -> Array.mapFoldBack (fun n i -> i % n, i / n) shape i |> fst)
    let ofGroup (i: int) = kept |> List.map (fun axis -> indices[i][axis])
    let shape = kept |> List.map (fun axis -> t.Shape[axis])

    let sizes = List.scanBack (*) shape 1 |> List.tail
    let number i = List.fold2 (fun sum index size -> sum + index * size) 0 (ofGroup i) sizes
    let found = Array.indexed values |> Array.groupBy (fst >> number) |> Map.ofArray

    shape, [ for group in 0 .. List.fold (*) 1 shape - 1 -> found[group] |> Array.map snd ]

let private variance (correction: int) (xs: float[]) =
    let mean = Array.average xs
    Array.sumBy (fun x -> (x - mean) * (x - mean)) xs / float (xs.Length - correction)

let private middle (xs: float[]) =
    let sorted = Array.sort xs
    (sorted[(xs.Length - 1) / 2] + sorted[xs.Length / 2]) / 2.0

let private mask condition = if condition then 1.0 else 0.0

let private reductions: ((int list -> Tensor -> Tensor) * (float[] -> float)) list =
    [
        Tensor.maxAxes, Array.max
        Tensor.minAxes, Array.min
        Tensor.prodAxes, Array.fold (*) 1.0
        (fun axes -> Tensor.varAxes axes 0), variance 0
        (fun axes -> Tensor.varAxes axes 1), variance 1
        (fun axes -> Tensor.stdAxes axes 1), (variance 1 >> sqrt)
        Tensor.medianAxes, middle
        Tensor.anyAxes, (Array.exists ((<>) 0.0) >> mask)
        Tensor.allAxes, (Array.forall ((<>) 0.0) >> mask)
    ]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorStatisticsTests" [
        test "reductions over any axes agree with plain loops" {
            let cube = normal 1L [ 3; 2; 4 ]
            let transposed = Tensor.permute [ 2; 0; 1 ] cube

            for f, reference in reductions do
                for t in [ cube; transposed; cube[*, 1]; Tensor.reverse 0 cube ] do
                    for axes in [ [ 0 ]; [ 1 ]; [ 0; 1 ]; [ -1; 0 ]; [ 0 .. t.Rank - 1 ] ] do
                        let known = axes |> List.map (fun axis -> if axis < 0 then axis + t.Rank else axis)
                        let shape, groups = groups known t

                        if groups |> List.forall (fun group -> group.Length > 1) then
                            Expect.tensor 1e-14 shape (List.map reference groups) (f axes t)

                            Expect.tensor
                                1e-6
                                shape
                                (List.map reference groups)
                                (f axes (Tensor.convert DType.Float32 t) |> Tensor.convert DType.Float64)
        }

        test "forms without axes reduce everything, and extremes the last axis" {
            let t = normal 2L [ 2; 5 ]
            let all = t.ToArray()
            Expect.scalar 1e-15 (variance 0 all) (Tensor.var t)
            Expect.scalar 1e-15 (sqrt (variance 0 all)) (Tensor.std t)
            Expect.scalar 1e-15 (Array.fold (*) 1.0 all) (Tensor.prod t)
            Expect.scalar 1e-15 (middle all) (Tensor.median t)
            Expect.scalar 0.0 1.0 (Tensor.any t)
            Expect.scalar 0.0 1.0 (Tensor.all t)
            Expect.tensor 0.0 [ 2 ] [ Array.min all[..4]; Array.min all[5..] ] (Tensor.min t)
            let least row = Array.IndexOf(row, Array.min row) |> float
            Expect.tensor 0.0 [ 2 ] [ least all[..4]; least all[5..] ] (Tensor.argMin t)
        }

        test "zeros, NaN and empty axes" {
            let t = tensor [ [ 0.0; 2.0 ]; [ nan; 0.0 ]; [ 0.0; 0.0 ] ]
            Expect.tensor 0.0 [ 3 ] [ 1.0; 1.0; 0.0 ] (Tensor.anyAxes [ 1 ] t)
            Expect.tensor 0.0 [ 3 ] [ 0.0; 0.0; 0.0 ] (Tensor.allAxes [ 1 ] t)
            Expect.tensor 0.0 [ 3 ] [ 2.0; nan; 0.0 ] (Tensor.maxAxes [ 1 ] t)
            Expect.tensor 0.0 [ 3 ] [ 0.0; nan; 0.0 ] (Tensor.minAxes [ 1 ] t)
            Expect.tensor 0.0 [ 3 ] [ 1.0; nan; 0.0 ] (Tensor.medianAxes [ 1 ] t)
            Expect.tensor 0.0 [ 2 ] [ nan; 0.0 ] (Tensor.medianAxes [ 0 ] t)
            Expect.tensor 0.0 [ 3 ] [ 0.0; nan; 0.0 ] (Tensor.prodAxes [ 1 ] t)

            let empty = Tensor.zeros DType.Float64 [ 2; 0 ]
            Expect.tensor 0.0 [ 2 ] [ 1.0; 1.0 ] (Tensor.prodAxes [ 1 ] empty)
            Expect.tensor 0.0 [ 2 ] [ 1.0; 1.0 ] (Tensor.allAxes [ 1 ] empty)
            Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] (Tensor.anyAxes [ 1 ] empty)
            // Over the other axis, each result is one of no results.
            Expect.tensor 0.0 [ 0 ] [] (Tensor.maxAxes [ 0 ] empty)
            Expect.tensor 0.0 [ 0 ] [] (Tensor.medianAxes [ 0 ] empty)
        }

        test "a scalar is its own extreme, product and median" {
            for f in [ Tensor.prod; Tensor.median; Tensor.maxAxes []; Tensor.minAxes [] ] do
                Expect.scalar 0.0 -2.5 (f (tensor -2.5))

            Expect.scalar 0.0 0.0 (Tensor.var (tensor -2.5))
        }

        test "reductions have all derivatives" {
            for point in points do
                let axes = [ 0 .. point.Rank - 1 ]

                for name, f in
                    [
                        "prod", Tensor.prod
                        "var", Tensor.var
                        "median", Tensor.median
                        "max", Tensor.maxAxes axes
                        "min", Tensor.minAxes axes
                        "sin of max", (fun x -> Tensor.sin (Tensor.maxAxes axes x))
                        "min by a constant", (fun x -> Tensor.minAxes axes (x * 0.7))
                    ] do
                    differentiates name f point

                if point.Rank > 0 then
                    differentiates "std" Tensor.std point
                    differentiates "prod of axis 0" (Tensor.prodAxes [ 0 ]) point
                    differentiates "max of axis 0" (Tensor.maxAxes [ 0 ]) point
                    differentiates "unbiased variance of axis 0" (Tensor.varAxes [ 0 ] 1) point
                    differentiates "std of axis 0" (Tensor.stdAxes [ 0 ] 1) point
        }

        test "masks have no slope" {
            for point in points do
                hasNoSlope "any" Tensor.any point
                hasNoSlope "all" Tensor.all point
        }

        test "the derivatives of a product hold where factors are 0" {
            differentiates "prod with one zero" Tensor.prod (tensor [ 0.5; 0.0; -1.5; 2.0; 0.3 ])
            differentiates "prod with two zeros" Tensor.prod (tensor [ 0.5; 0.0; -1.5; 0.0 ])
            Expect.tensor 0.0 [ 3 ] [ 0.0; 8.0; 0.0 ] (grad Tensor.prod (tensor [ 2.0; 0.0; 4.0 ]))
        }

        test "the derivatives of a deviation are 0 where all elements are equal" {
            let equal = tensor [ 3.0; 3.0; 3.0; 3.0 ]
            Expect.tensor 0.0 [ 4 ] [ 0.0; 0.0; 0.0; 0.0 ] (grad Tensor.std equal)
        }

        test "wrong axes and counts are named" {
            let matrix = Tensor.ones DType.Float64 [ 2; 3 ]
            let empty = Tensor.zeros DType.Float64 [ 2; 0 ]
            Expect.raises<ShapeException> [ "prod"; "axis 2" ] (fun () -> Tensor.prodAxes [ 2 ] matrix)
            Expect.raises<ShapeException> [ "any"; "axis -3" ] (fun () -> Tensor.anyAxes [ -3 ] matrix)
            Expect.raises<ShapeException> [ "max"; "[2; 0]" ] (fun () -> Tensor.maxAxes [ 1 ] empty)
            Expect.raises<ShapeException> [ "median"; "[2; 0]" ] (fun () -> Tensor.median empty)
            Expect.raises<ShapeException> [ "var"; "2"; "[2; 3]" ] (fun () -> Tensor.varAxes [ 0 ] 2 matrix)
            Expect.raises<ArgumentRangeException> [ "std"; "-1" ] (fun () -> Tensor.stdAxes [ 0 ] -1 matrix)

            for f in [ Tensor.prod; Tensor.median; Tensor.var; Tensor.any; Tensor.maxAxes [ 0 ] ] do
                Expect.raises<DTypeException> [ "Int32" ] (fun () -> f (tensor [ 1; 2 ]))
        }
    ]
