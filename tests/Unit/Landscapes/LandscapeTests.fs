module Curvature.Tests.Unit.LandscapeTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private a = tensor [ [ 3.0; 1.0 ]; [ 1.0; -2.0 ] ]
let private b = tensor [ 0.5; -1.0 ]
let private quadratic (x: Tensor) = 0.5 * Tensor.dot x (Tensor.matmul a x) + Tensor.dot b x
let private point = tensor [ 1.0; 2.0 ]
let private along values = Direction.ofVector "d" (tensor values)

let private listen tell =
    { new IProgress<LandscapeProgress> with
        member _.Report progress = tell progress
    }

[<Tests>]
let tests =
    testList "Unit.LandscapeTests" [
        test "the model of a quadratic loss is the loss" {
            let line = Landscape.line (Risk.ofFunction quadratic) point (along [ 2.0; 1.0 ]) (Landscape.grid 3.0 7)
            Expect.close 1e-15 [| -3.0; -2.0; -1.0; 0.0; 1.0; 2.0; 3.0 |] line.Positions
            // Ax + b = (5.5; -4), (2; 1)ᵀA(2; 1) = 14.
            Expect.close 1e-14 [| -2.0 |] [| line.Model.Value |]
            Expect.close 1e-14 [| 7.0 |] line.Model.Slopes
            Expect.close 1e-14 [| 14.0 |] [| line.Model.Curvatures[0, 0] |]
            let expected = line.Positions |> Array.map (fun t -> -2.0 + 7.0 * t + 7.0 * t * t)
            Expect.close 1e-13 expected line.Losses
            Expect.close 1e-13 expected line.ModelLosses
            let departure = line.Departure 1e-9
            Expect.isTrue "nowhere" (not departure.Below.HasValue && not departure.Above.HasValue)
            Expect.equal "line.Evaluations" 7 line.Evaluations
        }

        test "the model of a quadratic loss over a plane is the loss, at right angles or not" {
            let first, second = along [ 2.0; 1.0 ], along [ 1.0; 0.5 ]
            let first, second = Landscape.axis [ -1.0; 0.0; 2.0 ] first, Landscape.axis [ 0.5; 1.5 ] second
            let plane = Landscape.plane (Risk.ofFunction quadratic) point first second
            Expect.close 1e-14 [| 14.0; 7.0; 7.0; 3.5 |] (plane.Model.Curvatures |> Seq.cast<float> |> Seq.toArray)

            for i in 0..2 do
                for j in 0..1 do
                    let t = plane.FirstPositions[i] + 0.5 * plane.SecondPositions[j]
                    let expected = -2.0 + 7.0 * t + 7.0 * t * t
                    Expect.close 1e-13 [| expected; expected |] [| plane.Losses[i, j]; plane.ModelLosses[i, j] |]

            Expect.isTrue "nowhere" (not (plane.DepartureDistance 1e-9).HasValue)
        }

        test "a quartic departs from its model where it does" {
            // t² + t⁴ differs from t² by more than a twentieth of t² where |t| > 0.2236.
            let loss (x: Tensor) = Tensor.square x + Tensor.square (Tensor.square x)

            let line =
                Landscape.line
                    (Risk.ofFunction loss)
                    (Tensor.scalar DType.Float64 0.0)
                    (along [ 1.0 ])
                    (Landscape.grid 1.0 21)

            let departure = line.Departure 0.05
            Expect.close 1e-12 [| -0.3; 0.3 |] [| departure.Below.Value; departure.Above.Value |]

            let over (x: Tensor) = Tensor.sum (Tensor.square x + Tensor.square (Tensor.square x))
            let grid = Landscape.grid 1.0 21

            let plane =
                Landscape.plane
                    (Risk.ofFunction over)
                    (Tensor.zeros DType.Float64 [ 2 ])
                    (along [ 1.0; 0.0 ] |> Landscape.axis grid)
                    (along [ 0.0; 1.0 ] |> Landscape.axis grid)
            // Σx⁴/Σx² is largest for its distance on the axes.
            Expect.close 1e-12 [| 0.3 |] [| (plane.DepartureDistance 0.05).Value |]
        }

        test "along an eigenvector the curvature is the eigenvalue times the squared length" {
            let pairs = Hessian.at quadratic point |> ThickRestartLanczos.find SpectrumEnd.BothEnds 2
            let long = Direction.eigenvector 0 pairs |> Direction.scaled 3.0
            let line = Landscape.line (Risk.ofFunction quadratic) point long [ 0.0 ]
            Expect.isTrue "from the eigenvalue" line.Model.FromEigenvalues
            Expect.close 1e-12 [| 9.0 * pairs.Values[0] |] [| line.Model.Curvatures[0, 0] |]
            let options = LandscapeOptions.Default.WithQuadraticForms()
            let other = Landscape.lineWith options (Risk.ofFunction quadratic) point long [ 0.0 ]
            Expect.isTrue "from the form" (not other.Model.FromEigenvalues)
            Expect.close 1e-8 [| line.Model.Curvatures[0, 0] |] [| other.Model.Curvatures[0, 0] |]

            let at0 = Landscape.axis [ 0.0 ]

            let plane =
                Landscape.plane (Risk.ofFunction quadratic) point (at0 long) (at0 (Direction.eigenvector 1 pairs))

            let expected = [| 9.0 * pairs.Values[0]; 0.0; 0.0; pairs.Values[1] |]
            Expect.close 1e-7 expected (plane.Model.Curvatures |> Seq.cast<float> |> Seq.toArray)
        }

        test "a point of any shape, in single precision" {
            let loss (x: Tensor) = Tensor.sum (Tensor.square x)
            let theta = Tensor.ones DType.Float32 [ 2; 3 ]
            let direction = Direction.random (Key.OfSeed 4L) theta
            let line = Landscape.line (Risk.ofFunction loss) theta direction (Landscape.grid 1.0 5)
            let slope = 2.0 * (Tensor.sum direction.Vector).ToScalar()
            Expect.close 1e-5 (line.Positions |> Array.map (fun t -> 6.0 + slope * t + t * t)) line.Losses
        }

        test "a loss that asks for values has the same landscape" {
            let branching (x: Tensor) = if (Tensor.sum x).ToScalar() > -100.0 then quadratic x else -(quadratic x)
            let grid = Landscape.grid 2.0 9
            let compiled = Landscape.line (Risk.ofFunction quadratic) point (along [ 1.0; 1.0 ]) grid
            let direct = Landscape.line (Risk.ofFunction branching) point (along [ 1.0; 1.0 ]) grid
            Expect.close 1e-14 compiled.Losses direct.Losses
            Expect.close 1e-14 [| compiled.Model.Curvatures[0, 0] |] [| direct.Model.Curvatures[0, 0] |]
        }

        test "a loss that is not finite is an error that says where, or is kept and listed" {
            let loss (x: Tensor) = Tensor.sum (Tensor.log x)
            let theta = tensor [ 1.0; 2.0 ]
            let positions = [ -1.5; -1.0; -0.5; 0.0; 0.5 ]
            let line options = Landscape.lineWith options (Risk.ofFunction loss) theta (along [ 1.0; 0.0 ]) positions
            let error = raises<NonFiniteException>(fun () -> line LandscapeOptions.Default)

            Expect.isTrue
                error.Message
                (error.Message.Contains "the loss is NaN at -1.5 along d" && error.Message.Contains "the result of Log")

            let kept = line (LandscapeOptions.Default.WithNonFinite())
            Expect.equal "kept.NonFinite" [| 0; 1 |] kept.NonFinite

            Expect.isTrue
                "NaN and minus infinity"
                (Double.IsNaN kept.Losses[0] && Double.IsNegativeInfinity kept.Losses[1])
            // 0 is not departed from by rounding, and what is not finite departs.
            Expect.close 0.0 [| -1.0 |] [| (kept.Departure 10.0).Below.Value |]
            let options = LandscapeOptions.Default.WithNonFinite()

            let plane =
                Landscape.planeWith
                    options
                    (Risk.ofFunction loss)
                    theta
                    (along [ 1.0; 0.0 ] |> Landscape.axis [ -2.0; 0.0 ])
                    (along [ 0.0; 1.0 ] |> Landscape.axis [ -3.0; 0.0 ])

            Expect.equal "plane.NonFinite" [| [| 0; 0 |]; [| 0; 1 |]; [| 1; 0 |] |] plane.NonFinite

            let atThePoint =
                raises<NonFiniteException>(fun () ->
                    Landscape.lineWith options (Risk.ofFunction loss) (tensor [ 0.0; 1.0 ]) (along [ 1.0; 0.0 ]) [
                        1.0
                    ])

            Expect.isTrue atThePoint.Message (atThePoint.Message.Contains "the loss at the point is -infinity")
        }

        testCase "wrong use is an error that says what was expected" (fun () ->
            let line theta direction (positions: float list) () =
                Landscape.line (Risk.ofFunction quadratic) theta direction positions |> box

            let d = along [ 1.0; 0.0 ]
            raises<ArgumentRangeException>(line point d []) |> ignore
            raises<ArgumentRangeException>(line point d [ 0.0; 0.0 ]) |> ignore
            raises<ArgumentRangeException>(line point d [ 0.0; infinity ]) |> ignore
            let size = raises<ShapeException>(line point (along [ 1.0 ]) [ 0.0 ])
            Expect.isTrue size.Message (size.Message.Contains "d has 1 elements, and the point has 2")
            raises<DTypeException>(line (Tensor.convert DType.Float32 point) d [ 0.0 ]) |> ignore
            raises<NonFiniteException>(line (tensor [ 0.0; nan ]) d [ 0.0 ]) |> ignore
            raises<ShapeException>(fun () -> Landscape.line (Risk.ofFunction id) point d [ 0.0 ]) |> ignore
            raises<ArgumentRangeException>(fun () -> Landscape.grid 0.0 5) |> ignore
            raises<ArgumentRangeException>(fun () -> Landscape.grid 1.0 1) |> ignore
            let line = Landscape.line (Risk.ofFunction quadratic) point d [ 0.0 ]
            raises<ArgumentRangeException>(fun () -> line.Departure 0.0) |> ignore
            raises<ShapeException>(fun () -> line.Model.At(1.0, 2.0)) |> ignore
            let mutable calls = 0

            let restless (x: Tensor) =
                calls <- calls + 1
                float calls * quadratic x

            raises<DifferentiationException>(fun () -> Landscape.line (Risk.ofFunction restless) point d [ 0.0 ])
            |> ignore)

        test "progress counts losses, and cancelling ends with an error" {
            let told = ResizeArray<LandscapeProgress>()
            let options = LandscapeOptions.Default.WithProgress(listen told.Add).WithProgressInterval 0.0

            let line =
                Landscape.lineWith
                    options
                    (Risk.ofFunction quadratic)
                    point
                    (along [ 1.0; 0.0 ])
                    (Landscape.grid 1.0 41)

            Expect.equal "[ for progress in told -> progr…" [ 16; 32; 41 ] [
                for progress in told -> progress.Evaluations
            ]

            Expect.isTrue "the total" (told |> Seq.forall (fun progress -> progress.Total = 41))
            Expect.equal "line.Evaluations" 41 line.Evaluations
            use source = new CancellationTokenSource()

            let cancel =
                LandscapeOptions.Default.WithCancellation(source.Token).WithProgress(listen (fun _ -> source.Cancel()))

            raises<OperationCanceledException>(fun () ->
                Landscape.lineWith
                    cancel
                    (Risk.ofFunction quadratic)
                    point
                    (along [ 1.0; 0.0 ])
                    (Landscape.grid 1.0 41))
            |> ignore
        }

        testCase "over uneven batches the landscape is that of all samples, one batch in memory at a time" (fun () ->
            let network = Network.mlp Layer.tanh [ 4; 5; 3 ]
            let theta = Network.initialize (Key.OfSeed 7L) DType.Float64 network
            let x = Tensor.normal (Key.OfSeed 8L) DType.Float64 [ 10; 4 ]
            let labels = Tensor.ofIndices [ 10 ] (Array.init 10 (fun i -> i % 3))
            let first, second = Direction.random (Key.OfSeed 9L) theta, Direction.random (Key.OfSeed 10L) theta

            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let loss (batch: Batch) theta =
                    Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy reduction batch.Targets

                let batches = Batches.split 3 x labels
                let mutable read = 0

                let streamed =
                    seq {
                        for batch in batches do
                            read <- read + 1
                            yield batch
                    }

                let told = ResizeArray<LandscapeProgress>()
                let options = LandscapeOptions.Default.WithProgress(listen told.Add).WithProgressInterval 0.0
                let grid = Landscape.grid 1.0 5
                let firstAxis, secondAxis = Landscape.axis grid first, Landscape.axis [ -0.5; 0.5 ] second

                let plane =
                    Landscape.planeWith options (Risk.ofBatches reduction loss streamed) theta firstAxis secondAxis

                let whole = Landscape.plane (Risk.ofFunction (loss (Batch(x, labels)))) theta firstAxis secondAxis
                let flat (table: float[,]) = table |> Seq.cast<float> |> Seq.toArray
                Expect.close 1e-12 (flat whole.Losses) (flat plane.Losses)
                Expect.close 1e-12 (flat whole.ModelLosses) (flat plane.ModelLosses)
                Expect.equal "read, plane.Evaluations" (4, 40) (read, plane.Evaluations)

                Expect.equal "[ for progress in told -> progr…" [ 10; 20; 30; 40 ] [
                    for progress in told -> progress.Evaluations
                ]

                Expect.equal "told[0].Total" 0 told[0].Total
                let line = Landscape.lineWith options (Risk.ofBatches reduction loss batches) theta first grid

                Expect.close
                    1e-12
                    (Landscape.line (Risk.ofFunction (loss (Batch(x, labels)))) theta first grid).Losses
                    line.Losses

                Expect.equal "told[told.Count - 1].Total" 20 told[told.Count - 1].Total)

        test "over batches errors name the batch" {
            let loss (batch: Batch) (theta: Tensor) = Tensor.mean (Tensor.log (batch.Inputs * Tensor.sum theta))
            let x = tensor [ 1.0; 2.0; 3.0; -4.0 ]
            let theta = tensor [ 1.0; 0.0 ]

            let over batches =
                Landscape.lineWith
                    LandscapeOptions.Default
                    (Risk.ofBatches Reduction.Mean loss batches)
                    theta
                    (along [ 1.0; 0.0 ])
                    [ 0.0; 1.0 ]

            let error = raises<NonFiniteException>(fun () -> over (Batches.split 2 x x))
            Expect.isTrue error.Message (error.Message.Contains "batch 1" && error.Message.Contains "NaN")
            raises<DataException>(fun () -> over []) |> ignore
            raises<DataException>(fun () -> over [ Unchecked.defaultof<Batch> ]) |> ignore
        }

        for dtype, tolerance in [ DType.Float64, 1e-7; DType.Float32, 1e-3 ] do
            test $"the network on real digits curves along its eigenvectors as its eigenvalues say ({dtype})" {
                let loss, theta = DigitsNetwork.loss dtype, DigitsNetwork.theta dtype
                let pairs = Hessian.at loss theta |> ThickRestartLanczos.find SpectrumEnd.BothEnds 2
                let first, second = Direction.eigenvector 0 pairs, Direction.eigenvector 1 pairs
                let options = LandscapeOptions.Default.WithQuadraticForms()
                let grid = Landscape.grid 0.5 11
                let axis = Landscape.axis grid
                let plane = Landscape.planeWith options (Risk.ofFunction loss) theta (axis first) (axis second)
                DigitsNetwork.close tolerance "loss" plane.Losses[5, 5]

                let top, bottom =
                    (DigitsNetwork.numbers "hessian_top5")[0], (DigitsNetwork.numbers "hessian_bottom5")[0]

                let curvatures = plane.Model.Curvatures |> Seq.cast<float> |> Seq.toArray
                Expect.close tolerance [| top; 0.0; 0.0; bottom |] curvatures
                // What the loss itself does: a second difference of step 0.1 sees the curvature and a twelfth of the
                // fourth derivative times 0.01.
                let second = (plane.Losses[6, 5] - 2.0 * plane.Losses[5, 5] + plane.Losses[4, 5]) / 0.01
                Expect.isTrue $"{second} against {top}" (abs (second - top) < 0.02 * top)
                let line = Landscape.line (Risk.ofFunction loss) theta first grid
                Expect.close (10.0 * tolerance) [| for i in 0..10 -> plane.Losses[i, 5] |] line.Losses
            }
    ]
