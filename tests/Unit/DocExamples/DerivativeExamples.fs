/// The F# of docs/derivatives.md.
module DocExamples.DerivativeExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit

let private values (t: Tensor) = t.ToArray()

[<Tests>]
let tests =
    testList "DocExamples.DerivativeExamples" [
        test "tensors are made and computed with" {
            let x = tensor [ 1.0; 2.0; 3.0 ]
            let w = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 3; 2 ]
            let y = 0.5 * Tensor.sum (Tensor.tanh (Tensor.matmul x w)) + 1.0
            let number = y.ToScalar()

            Expect.inRange "number" 0.0 2.0 number
        }

        test "gradients and Hessians" {
            let f (x: Tensor) = Tensor.square (Tensor.dot x x)
            let x = tensor [ 1.0; 2.0; 3.0 ]
            let v = tensor [ 1.0; 0.0; 0.0 ]

            let gradient = grad f x // 56, 112, 168
            let product = hessianv f x v // H·v: 64, 16, 24
            let curvature = quadraticForm f x v // vᵀHv: 64
            let matrix = hessian f x // all of it, for small x

            Expect.equal "values gradient" [| 56.0; 112.0; 168.0 |] (values gradient)
            Expect.equal "values product" [| 64.0; 16.0; 24.0 |] (values product)
            Expect.equal "curvature" 64.0 (curvature.ToScalar())
            Expect.equal "matrix.Shape" [| 3; 3 |] matrix.Shape
        }

        test "values come along" {
            let f (x: Tensor) = Tensor.square (Tensor.dot x x)
            let x = tensor [ 1.0; 2.0; 3.0 ]

            let value, gradient = fgrad f x

            Expect.equal "value" 196.0 (value.ToScalar())
            Expect.equal "values gradient" [| 56.0; 112.0; 168.0 |] (values gradient)
        }

        test "derivatives nest" {
            let third = diffn 3 Tensor.exp (tensor 0.0)

            // The gradient of the trace of the Hessian: a third derivative along every axis.
            let f (x: Tensor) = Tensor.square (Tensor.dot x x)
            let slope = grad (laplacian f) (tensor [ 1.0; 2.0; 3.0 ])

            Expect.equal "third" 1.0 (third.ToScalar())
            Expect.close 1e-13 [| 40.0; 80.0; 120.0 |] (values slope)
        }

        test "functions with many outputs" {
            // A rotation of the plane that grows with the distance from the origin.
            let field (p: Tensor) = Tensor.dot p p * Tensor.stack 0 [ -p[1]; p[0] ]
            let p = tensor [ 1.0; 2.0 ]

            let matrix = jacobian field p // [outputs; inputs]
            let trace = divergence field p // 0
            let forward = jacobianv field p (tensor [ 1.0; 0.0 ])
            let backward = jacobianTv field p (tensor [ 1.0; 0.0 ])

            Expect.equal "values matrix" [| -4.0; -13.0; 7.0; 4.0 |] (values matrix)
            Expect.equal "trace" 0.0 (trace.ToScalar())
            Expect.equal "values forward" [| -4.0; 7.0 |] (values forward)
            Expect.equal "values backward" [| -4.0; -13.0 |] (values backward)
        }

        test "many vectors at one point" {
            let f (x: Tensor) = Tensor.square (Tensor.dot x x)
            let x = tensor [ 1.0; 2.0; 3.0 ]

            let (value, gradient), multiply = Linearized.gradient f x
            let first = multiply (tensor [ 1.0; 0.0; 0.0 ])
            let second = multiply (tensor [ 0.0; 1.0; 0.0 ])

            let points = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 100; 3 ]
            let gradients = vmap (grad f) points // [100; 3]

            Expect.equal "value" 196.0 (value.ToScalar())
            Expect.equal "gradient.Shape" [| 3 |] gradient.Shape
            Expect.equal "values first" [| 64.0; 16.0; 24.0 |] (values first)
            Expect.equal "values second" [| 16.0; 88.0; 48.0 |] (values second)
            Expect.equal "gradients.Shape" [| 100; 3 |] gradients.Shape
        }

        test "compiled functions" {
            let f (x: Tensor) = Tensor.sum (Tensor.square (Tensor.tanh x))
            let x = tensor [ 0.1; -0.4; 0.7 ]

            let gradient = Compile.func (grad f)
            let here = gradient x
            let there = gradient (2.0 * x)

            Expect.close 1e-15 (values (grad f x)) (values here)
            Expect.close 1e-15 (values (grad f (2.0 * x))) (values there)
        }

        test "less memory for more time" {
            let weights = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 8; 3; 3 ]
            let layer (w: Tensor) (x: Tensor) = Tensor.tanh (Tensor.matmul w x)

            // Eight layers, of which each second input is kept.
            let deep (w: Tensor) =
                ([ 0; 2; 4; 6 ], tensor [ 1.0; 2.0; 3.0 ])
                ||> List.foldBack (fun i -> Tensor.checkpoint (layer w[i] >> layer w[i + 1]))
                |> Tensor.sum

            let slope = grad deep weights
            let network = ResNet.cifarCheckpointed 20 10 // a checkpoint around each block

            let plain (w: Tensor) =
                ([ 0..7 ] |> List.map (fun i -> i ^^^ 1), tensor [ 1.0; 2.0; 3.0 ])
                ||> List.foldBack (fun i -> layer w[i])
                |> Tensor.sum

            Expect.tensorsClose 1e-14 (grad plain weights) slope
            Expect.equal "network.ParameterCount" ResNet.resNet20.ParameterCount network.ParameterCount
        }

        test "convolutions" {
            let images = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 8; 3; 32; 32 ] // [N; channels; height; width]
            let filters = Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 16; 3; 3; 3 ] // [filters; channels; …]
            let maps = images |> Nchw.conv2d (Sliding.Default.WithPadding 1) filters |> Tensor.relu
            let pooled = maps |> Nchw.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
            let features = Nchw.globalAveragePool pooled

            Expect.equal "maps.Shape" [| 8; 16; 32; 32 |] maps.Shape
            Expect.equal "pooled.Shape" [| 8; 16; 16; 16 |] pooled.Shape
            Expect.equal "features.Shape" [| 8; 16 |] features.Shape

            let last = Nchw.toNhwc images |> Nhwc.conv2d (Sliding.Default.WithPadding 1) (Nchw.filtersToNhwc filters)

            Expect.equal "last.Shape" [| 8; 32; 32; 16 |] last.Shape

            let grown = pooled |> Nchw.convTranspose2d (Sliding.Default.WithStride 2) filters // 33×33 pixels
            let resized = pooled |> Nchw.resizeLinear ResizeOptions.Default (32, 32)
            let everyOther = pooled |> Resize.nearest ResizeOptions.Default [ 2; 3 ] [ 8; 8 ] // of any axes
            let mirrored = images |> Tensor.padReflect 2 1 1 |> Tensor.padReflect 3 1 1
            let activated = Activation.mish mirrored

            Expect.equal "grown.Shape" [| 8; 3; 33; 33 |] grown.Shape
            Expect.equal "resized.Shape" [| 8; 16; 32; 32 |] resized.Shape
            Expect.equal "everyOther.Shape" [| 8; 16; 8; 8 |] everyOther.Shape
            Expect.equal "activated.Shape" [| 8; 3; 34; 34 |] activated.Shape
        }

        test "mistakes are typed errors" {
            try
                grad (fun x -> 2.0 * x) (tensor [ 1.0; 2.0 ]) |> ignore
            with :? CurvatureException as error ->
                printfn "%s" error.Message // grad: the function must return a scalar, and it returned shape [2]

            let error = raises<ShapeException>(fun () -> grad (fun x -> 2.0 * x) (tensor [ 1.0; 2.0 ]))

            Expect.equal
                "error.Message"
                "grad: the function must return a scalar, and it returned shape [2]"
                error.Message
        }
    ]
