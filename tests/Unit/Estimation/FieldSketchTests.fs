module Curvature.Tests.Unit.FieldSketchTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 110L

/// A field of 20 elements whose Jacobian is A·diag(1 − tanh²(x + shift)): A has singular values 1/i².
let private matrixOf dtype =
    let basis seed = Tensor.normal (Key.OfSeed seed) DType.Float64 [ 20; 20 ] |> Tensor.qr |> fst

    let scales = Tensor.ofArray [ 20 ] (Array.init 20 (fun i -> 1.0 / float ((i + 1) * (i + 1))))
    let left = basis 1L
    // Close to symmetric, so that the trace is not small.
    Tensor.matmul (left * scales) (Tensor.transpose (left + 0.1 * basis 2L)) |> Tensor.convert dtype

let private field (shift: float) (x: Tensor) = Tensor.matmul (matrixOf x.DType) (Tensor.tanh (x + shift))
let private points dtype = 0.3 * Tensor.normal (Key.OfSeed 3L) dtype [ 6; 20 ]
let private find vectors = FieldSketch.find vectors key (field 0.0) (points DType.Float64)

/// The divergences of many keys: a list for each point.
let private draws runs (estimate: Key -> Tensor) : float list[] =
    let rows = [ for run in 0 .. runs - 1 -> (estimate (key.FoldIn(uint32 run))).ToArray() ]
    Array.init rows.Head.Length (fun point -> rows |> List.map (fun row -> row[point]))

let private variance (values: float list) =
    let mean = List.average values
    (values |> List.sumBy (fun x -> (x - mean) ** 2.0)) / float (values.Length - 1)

[<Tests>]
let tests =
    testList "Unit.FieldSketchTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"a divergence with a stale sketch is unbiased, {dtype}" {
                // The sketch is of another field at other points.
                let other = Tensor.normal (Key.OfSeed 9L) dtype [ 4; 20 ]
                let sketch = FieldSketch.find 5 key (field 0.8) other
                let points = points dtype
                let exact = (Divergence.exactAtPoints (field 0.0) points).Value.ToArray()

                let found =
                    draws 1500 (fun key -> snd (FieldSketch.fdivergenceAtPoints sketch 1 key (field 0.0) points))

                for point in 0..5 do
                    let error = sqrt (variance found[point] / 1500.0)
                    // 12 numbers in all at 5.5 standard errors: by chance in less than one of a million runs.
                    Expect.within $"point {point}, {key}" (5.5 * error + 1e-6) exact[point] (List.average found[point])
            }

        test "with as many derivatives the variance is far below Hutchinson's where the spectrum decays" {
            let stale = FieldSketch.find 6 key (field 0.4) (points DType.Float64)
            let points = points DType.Float64
            let samples = 3
            Expect.equal "derivatives" 9 (stale.DerivativesFor samples)

            let ofSketch (sketch: FieldSketch) =
                draws 300 (fun key -> snd (FieldSketch.fdivergenceAtPoints sketch samples key (field 0.0) points))
                |> Array.averageBy variance

            let hutchinson =
                draws 300 (fun key -> snd (Stochastic.fdivergenceAtPoints 9 key (field 0.0) points))
                |> Array.averageBy variance

            let fresh, stale = ofSketch (find 6), ofSketch stale
            Expect.isTrue $"{fresh}, {stale} and {hutchinson}" (fresh < hutchinson / 50.0 && stale < hutchinson / 50.0)
        }

        test "the value is that of the field, and a field of few directions has no variance" {
            let narrow = Tensor.slice 1 0 3 (matrixOf DType.Float64)
            let field x = Tensor.matmul narrow (Tensor.tanh (Tensor.matmul (Tensor.transpose narrow) x))
            let points = points DType.Float64
            let sketch = FieldSketch.find 5 key field points
            Expect.equal "directions" 3 sketch.Vectors
            let value, divergence = FieldSketch.fdivergenceAtPoints sketch 1 key field points
            Expect.tensorsClose 1e-14 (vmap field points) value
            Expect.tensorsClose 1e-12 (Divergence.exactAtPoints field points).Value divergence
            let gram = Tensor.matmul sketch.Basis (Tensor.transpose sketch.Basis)
            Expect.tensorsClose 1e-12 (Tensor.eye DType.Float64 3) gram
        }

        test "it is differentiable, with the sketch held fixed" {
            let points = points DType.Float64
            // All directions: the divergence is exact, and so is its gradient.
            let sketch = find 20
            Expect.equal "directions" 20 sketch.Vectors

            let loss divergences (scale: Tensor) =
                Tensor.sum (Tensor.square (divergences (fun x -> scale * field 0.0 (scale * x))))

            let sketched = loss (fun f -> snd (FieldSketch.fdivergenceAtPoints sketch 2 key f points))
            let exact = loss (fun f -> vmap (divergence f) points)
            let scale = Tensor.scalar DType.Float64 1.3
            Expect.scalar 1e-10 ((grad exact scale).ToScalar()) (grad sketched scale)
        }

        test "points of several axes are points" {
            let points = points DType.Float64
            let shaped = Tensor.reshape [ 6; 4; 5 ] points
            let ofShaped x = field 0.0 (Tensor.flatten x) |> Tensor.reshape [ 4; 5 ]
            let sketch = find 4
            let same = FieldSketch.find 4 key ofShaped shaped
            Expect.tensorsClose 1e-12 sketch.Basis same.Basis
            let _, flat = FieldSketch.fdivergenceAtPoints sketch 2 key (field 0.0) points
            let _, found = FieldSketch.fdivergenceAtPoints sketch 2 key ofShaped shaped
            Expect.tensorsClose 1e-12 flat found
        }

        test "a sketch grows older and is refreshed" {
            let field, points = field 0.0, points DType.Float64
            let other = Key.OfSeed 5L
            let next (sketch: FieldSketch) = FieldSketch.refresh 3 4 other field points sketch
            let first = FieldSketch.find 4 key field points
            let second, third = next first, next (next first)
            let fourth = next third
            Expect.equal "ages" [ 0; 1; 2; 0 ] [ for sketch in [ first; second; third; fourth ] -> sketch.Age ]
            Expect.sameBits first.Basis third.Basis
            Expect.isTrue "another" (fourth.Basis.ToArray() <> first.Basis.ToArray())
            // 6 points have two products each for 4 directions: 8 are needed at least.
            Expect.equal "derivatives" 2 fourth.Derivatives
        }

        for samples in [ 3; 8; 60 ] do
            test $"intervals with a stale sketch hold, {samples} samples" {
                let sketch = FieldSketch.find 4 key (field 0.6) (points DType.Float64)
                let points = points DType.Float64
                let exact = (Divergence.exactAtPoints (field 0.0) points).Value.ToArray()

                let covered =
                    [
                        for run in 0u .. 99u do
                            let stop = StoppingRule.matvecs samples
                            let found = Divergence.sketchedAtPoints stop (key.FoldIn run) sketch (field 0.0) points

                            for point in 0..5 do
                                let interval = found[point].Interval 0.95
                                Expect.equal "products, those of the sketch too" (samples + 4) found[point].Matvecs
                                interval.Low <= exact[point] && exact[point] <= interval.High
                    ]
                    |> List.filter id
                    |> List.length

                // Of 600 at 95 %, 570 ± 5.4: five and a half deviations.
                Expect.inRange $"covered, {key}" 540 600 covered
            }

        test "what does not fit is refused" {
            let field, points = field 0.0, points DType.Float64
            let sketch = find 4
            let range fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            range [ "21"; "20" ] (fun () -> FieldSketch.find 21 key field points)
            range [ "0" ] (fun () -> FieldSketch.find 0 key field points)
            range [ "0"; "step" ] (fun () -> FieldSketch.refresh 0 4 key field points sketch)
            range [ "0"; "vector" ] (fun () -> FieldSketch.fdivergenceAtPoints sketch 0 key field points)
            let shape fragments action = Expect.error<ShapeException> fragments (action >> ignore)
            shape [ "[3]" ] (fun () -> FieldSketch.find 1 key field (tensor [ 1.0; 2.0; 3.0 ]))

            shape [ "20"; "3" ] (fun () ->
                FieldSketch.fdivergenceAtPoints sketch 1 key Tensor.tanh (Tensor.zeros DType.Float64 [ 2; 3 ]))

            shape [ "Float32" ] (fun () ->
                FieldSketch.fdivergenceAtPoints sketch 1 key Tensor.tanh (Tensor.zeros DType.Float32 [ 2; 20 ]))

            shape [ "shape" ] (fun () -> FieldSketch.find 4 key (Tensor.slice 0 0 3) points)

            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                FieldSketch.find 1 key Tensor.square (Tensor.zeros DType.Int32 [ 2; 3 ]) |> ignore)
        }
    ]
