/// Sums of derivatives of high order against closed forms: Laplacians, biharmonic and third-order terms.
module Curvature.Tests.Unit.TaylorModeTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private a = tensor [ 0.5; -0.3; 0.8; 0.2 ]
let private b = tensor [ 1.0; 0.4; -0.7; 0.6 ]
let private x = tensor [ 0.3; -0.6; 0.9; 0.1 ]
let private squared (t: Tensor) = (Tensor.dot t t).ToScalar()

/// Three numbers whose derivatives of all orders are known: (x·x)², e^{a·x}, sin(b·x).
let private field (x: Tensor) = Tensor.stack 0 [ Tensor.dot x x ** 2.0; exp (Tensor.dot a x); sin (Tensor.dot b x) ]

let private exponential = Math.Exp((Tensor.dot a x).ToScalar())
let private sine = Math.Sin((Tensor.dot b x).ToScalar())
let private cosine = Math.Cos((Tensor.dot b x).ToScalar())

let private network (width: int) (x: Tensor) =
    let weights seed rows columns = Tensor.normal (Key.OfSeed seed) DType.Float64 [ rows; columns ] / sqrt (float rows)

    let n = x.Size
    let hidden = tanh (Tensor.matmul (Tensor.flatten x) (weights 1L n width))
    tanh (Tensor.matmul hidden (weights 2L width width)) |> fun h -> Tensor.matmul h (weights 3L width 2)

/// Σ of second derivatives, one product of a Hessian after the other.
let private traces (f: Tensor -> Tensor) (x: Tensor) =
    let output i = fun x -> Tensor.item 0 i (f x)
    let trace i = hessian (output i) x |> Tensor.reshape [ x.Size; x.Size ] |> Tensor.diagonal |> Tensor.sum
    Tensor.stack 0 [ trace 0; trace 1 ]

/// eᵢᵀHeᵢ
let private basisForm (form: CompiledMap) (x: Tensor) (i: int) =
    let e = Array.init x.Size (fun k -> if k = i then 1.0 else 0.0)
    (form.Apply(Tensor.ofArray (List.ofArray x.Shape) e)).ToScalar()

[<Tests>]
let tests =
    testList "Unit.TaylorModeTests" [
        test "the Laplacian of a function with several values is that of each" {
            let value, found = flaplacian field x
            Expect.tensorsClose 0.0 (field x) value
            Expect.tensor 1e-13 [ 3 ] [ 24.0 * squared x; squared a * exponential; -(squared b) * sine ] found
            let single = Tensor.convert DType.Float32
            let narrow = laplacian (fun x -> single (field (Tensor.convert DType.Float64 x))) (single x)
            Expect.tensorsClose 1e-6 (single found) narrow
        }

        test "the Laplacian is the trace of the Hessian at points of any shape and of more elements than a block" {
            for shape in [ [ 3 ]; [ 2; 3 ]; [ 1; 1; 1 ]; [ 70 ]; [ 64 ]; [ 65 ] ] do
                let x = Tensor.normal (Key.OfSeed 7L) DType.Float64 shape
                Expect.tensorsClose 1e-12 (traces (network 5) x) (laplacian (network 5) x)

            let scalar = Tensor.scalar DType.Float64 0.7
            Expect.scalar 1e-14 -(sin 0.7) (laplacian sin scalar)

            Expect.tensor
                0.0
                [ 2 ]
                [ 0.0; 0.0 ]
                (laplacian (fun x -> Tensor.ones DType.Float64 [ 2 ] + Tensor.sum x) (Tensor.zeros DType.Float64 [ 0 ]))

            Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] (laplacian (fun _ -> Tensor.ones DType.Float64 [ 2 ]) x)
            Expect.tensor 0.0 [ 4 ] [ 0.0; 0.0; 0.0; 0.0 ] (laplacian id x)
        }

        test "tangents that the program shows to be zero are not multiplied" {
            let weights seed rows columns = Tensor.normal (Key.OfSeed seed) DType.Float64 [ rows; columns ]
            let first, second = weights 21L 3 16, weights 22L 16 16
            // Particles in three dimensions, each of which goes through the same network.
            let particles (x: Tensor) =
                let hidden = tanh (Tensor.matmul (tanh (Tensor.matmul x first)) second)
                Tensor.sumAxes [ 0 ] hidden |> Tensor.sumAxes [ 0 ]

            let flops count =
                let x = weights 23L count 3
                let map = Compile.family (fun x -> [ x ], laplacian particles) x
                let form = Compile.family (fun x -> [ x ], fun v -> quadraticForm particles x v) x
                let expected = Array.sum [| for i in 0 .. x.Size - 1 -> basisForm form x i |]
                Expect.close 1e-11 [| expected |] [| (map.Apply x).ToScalar() |]
                map.Flops

            // Products of a tangent for each coordinate of all particles would be 16 times as many.
            Expect.inRange "four times the particles" 3.5 4.5 (flops 40 / flops 10)
            let sixteen = 2.0 * 16.0 * 16.0 * float (10 * 5)
            Expect.inRange "a value, three tangents and a second derivative" 0.9 1.5 (flops 10 / sixteen)
        }

        test "moves, masks and sums of elements with few axes have the Laplacians of others" {
            let index = Tensor.ofIndices [ 3 ] [| 2; 0; 2 |]

            let f (x: Tensor) =
                let squares = x * x
                let gathered = Tensor.take 0 index (sin x)
                let turned = Tensor.transpose (Tensor.reverse 1 squares)
                let padded = Tensor.pad 0 1 2 turned |> Tensor.slice 0 1 4
                let joined = Tensor.concat 0 [ exp gathered; squares ]
                let spread = Tensor.unsqueeze 2 squares * Tensor.reshape [ 5; 1; 4 ] (sin squares)
                let product = Tensor.matmul squares (tanh turned)

                [
                    Tensor.sum (Tensor.sumAxes [ 1 ] joined ** 2.0)
                    Tensor.sum (padded * padded * padded)
                    Tensor.sum (tanh (Tensor.sumAxes [ 1 ] spread))
                    Tensor.sum (sin product)
                    Tensor.sum (Tensor.Where(Tensor.greater x (Tensor.fullLike x 0.0), squares * squares, sin x))
                    Tensor.sum (Tensor.convert DType.Float64 (Tensor.convert DType.Float32 x)) * 0.0
                ]
                |> Tensor.stack 0

            let x = Tensor.normal (Key.OfSeed 31L) DType.Float64 [ 5; 4 ]
            let basis = Tensor.eye DType.Float64 20 |> Tensor.reshape [ 20; 5; 4 ]
            let expected = sumOfDerivatives 2 basis f x
            Expect.tensorsClose 1e-12 expected (laplacian f x)
            Expect.tensorsClose 1e-12 expected (Compile.func (laplacian f) x)
            let stack = Tensor.stack 0 [ x; -x ]
            let each = Tensor.stack 0 [ expected; sumOfDerivatives 2 basis f -x ]
            Expect.tensorsClose 1e-12 each (vmap (laplacian f) stack)
        }

        test "where tangents along all axes would take too much memory, blocks of them do" {
            let n, width = 1100, 1000
            let w = Tensor.normal (Key.OfSeed 41L) DType.Float64 [ n; width ] / sqrt (float n)
            let x = Tensor.normal (Key.OfSeed 42L) DType.Float64 [ n ]
            let y = tanh (Tensor.matmul x w)
            let expected = Tensor.sum (-2.0 * y * (1.0 - y * y) * Tensor.sumAxes [ 0 ] (w * w))
            Expect.tensorsClose 1e-11 expected (laplacian (fun x -> Tensor.sum (tanh (Tensor.matmul x w))) x)
        }

        test "Laplacians of a stack are those of its points, compiled too" {
            let stack = Tensor.normal (Key.OfSeed 8L) DType.Float64 [ 5; 4 ]
            let expected = [ for i in 0..4 -> laplacian (network 6) (Tensor.item 0 i stack) ] |> Tensor.stack 0
            Expect.tensorsClose 1e-12 expected (vmap (laplacian (network 6)) stack)
            Expect.tensorsClose 1e-12 expected (Compile.func (vmap (laplacian (network 6))) stack)
        }

        test "the Laplacian has the gradient of a sum of second derivatives" {
            let f x = Tensor.sum (network 4 x)
            let expected x = Tensor.sum (traces (network 4) x)
            Expect.tensorsClose 1e-12 (grad expected x) (grad (laplacian f) x)
        }

        test "the weighted Laplacian is the sum of second derivatives with the weights σσᵀ" {
            let sigma = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 4; 3 ]
            let weighted (t: Tensor) = squared (Tensor.matmul t sigma)

            let quartic = 4.0 * squared x * (Tensor.sum (sigma * sigma)).ToScalar() + 8.0 * weighted x

            let expected = [ quartic; weighted a * exponential; -(weighted b) * sine ]
            let value, found = fweightedLaplacian sigma field x
            Expect.tensorsClose 0.0 (field x) value
            Expect.tensor 1e-13 [ 3 ] expected found
            let identity = Tensor.eye DType.Float64 4
            Expect.tensorsClose 1e-13 (laplacian field x) (weightedLaplacian identity field x)
        }

        test "weights of directions may be negative: the wave operator" {
            let weights, basis = tensor [ 1.0; -1.0; -1.0; -1.0 ], Tensor.eye DType.Float64 4
            let minkowski (t: Tensor) = (Tensor.sum (weights * t * t)).ToScalar()
            let quartic = 4.0 * squared x * -2.0 + 8.0 * minkowski x
            let expected = [ quartic; minkowski a * exponential; -(minkowski b) * sine ]
            Expect.tensor 1e-13 [ 3 ] expected (weightedSumOfDerivatives 2 weights basis field x)
        }

        test "the biharmonic operator of known functions" {
            let expected = [ 8.0 * 4.0 * 6.0; squared a ** 2.0 * exponential; squared b ** 2.0 * sine ]
            Expect.tensor 1e-12 [ 3 ] expected (biharmonic field x)
            Expect.tensorsClose 1e-12 (biharmonic field x) (Compile.func (biharmonic field) x)
            let stack = Tensor.stack 0 [ x; -x ]
            let each = Tensor.stack 0 [ biharmonic field x; biharmonic field -x ]
            Expect.tensorsClose 1e-12 each (vmap (biharmonic field) stack)
        }

        test "sums of third derivatives, and derivatives along several directions" {
            let cubes (t: Tensor) = (Tensor.sum (t * t * t)).ToScalar()
            let third = [ 24.0 * (Tensor.sum x).ToScalar(); cubes a * exponential; -(cubes b) * cosine ]
            Expect.tensor 1e-12 [ 3 ] third (sumOfDerivatives 3 (Tensor.eye DType.Float64 4) field x)

            let directions = [ for s in 11L .. 15L -> Tensor.normal (Key.OfSeed s) DType.Float64 [ 4 ] ]

            for k in 1..5 do
                let along (t: Tensor) =
                    directions |> List.truncate k |> List.fold (fun p v -> p * (Tensor.dot t v).ToScalar()) 1.0

                let found = mixedDerivative field x (List.truncate k directions)
                Expect.close 1e-11 [| along a * exponential |] [| found.ToArray()[1] |]

                Expect.close 1e-11 [| along b * Math.Sin((Tensor.dot b x).ToScalar() + float k * Math.PI / 2.0) |] [|
                    found.ToArray()[2]
                |]

            let product (x: Tensor) = x[0] * x[1] * x[2]
            let basis i = Tensor.eye DType.Float64 4 |> Tensor.item 0 i
            Expect.scalar 1e-14 1.0 (mixedDerivative product x [ basis 0; basis 1; basis 2 ])
            Expect.scalar 1e-14 0.0 (mixedDerivative product x [ basis 0; basis 1; basis 3 ])
            // One and the same direction.
            let along = jet 3 field x [ a ]
            Expect.tensorsClose 1e-12 along[2] (mixedDerivative field x [ a; a; a ])
        }

        test "derivatives of first order collapse to one tangent" {
            let stack = Tensor.stack 0 [ a; b; x ]
            Expect.tensorsClose 1e-14 (jacobianv field x (a + b + x)) (sumOfDerivatives 1 stack field x)
        }

        test "wrong use is refused" {
            let one = Tensor.ones DType.Float64 [ 1; 4 ]
            Expect.raises<DTypeException> [ "laplacian"; "Int32" ] (fun () -> laplacian id (tensor [ 1; 2 ]))
            Expect.raises<ArgumentRangeException> [ "sumOfDerivatives"; "0" ] (fun () -> sumOfDerivatives 0 one field x)

            Expect.raises<ArgumentRangeException> [ "sumOfDerivatives"; "65" ] (fun () ->
                sumOfDerivatives 65 one field x)

            Expect.raises<ShapeException> [ "sumOfDerivatives"; "stacked" ] (fun () -> sumOfDerivatives 2 x field x)

            Expect.raises<DTypeException> [ "sumOfDerivatives"; "Float32" ] (fun () ->
                sumOfDerivatives 2 (Tensor.convert DType.Float32 one) field x)

            Expect.raises<ShapeException> [ "weightedSumOfDerivatives"; "weights" ] (fun () ->
                weightedSumOfDerivatives 2 (tensor [ 1.0; 2.0 ]) one field x)

            Expect.raises<DTypeException> [ "weightedSumOfDerivatives"; "Float32" ] (fun () ->
                weightedSumOfDerivatives 2 (Tensor.ones DType.Float32 [ 1 ]) one field x)

            Expect.raises<ShapeException> [ "weightedLaplacian"; "row" ] (fun () -> weightedLaplacian one field x)
            Expect.raises<ShapeException> [ "weightedLaplacian"; "row" ] (fun () -> weightedLaplacian x field x)
            Expect.raises<ArgumentRangeException> [ "mixedDerivative" ] (fun () -> mixedDerivative field x [])

            Expect.raises<ArgumentRangeException> [ "mixedDerivative"; "13" ] (fun () ->
                mixedDerivative field x (List.replicate 13 a))

            Expect.raises<ShapeException> [ "mixedDerivative"; "direction" ] (fun () -> mixedDerivative field x [ one ])
        }
    ]
