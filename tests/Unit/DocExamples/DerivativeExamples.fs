namespace DocExamples

open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit

/// The F# of docs/derivatives.md.
module DerivativeExamples =

    let private values (t: Tensor) = t.ToArray()

    [<Test>]
    let ``tensors are made and computed with`` () =
        let x = tensor [ 1.0; 2.0; 3.0 ]
        let w = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 3; 2 ]
        let y = 0.5 * Tensor.sum (Tensor.tanh (Tensor.matmul x w)) + 1.0
        let number = y.ToScalar()

        Assert.That(number, Is.InRange(0.0, 2.0))

    [<Test>]
    let ``gradients and Hessians`` () =
        let f (x: Tensor) = Tensor.square (Tensor.dot x x)
        let x = tensor [ 1.0; 2.0; 3.0 ]
        let v = tensor [ 1.0; 0.0; 0.0 ]

        let gradient = grad f x // 56, 112, 168
        let product = hessianv f x v // H·v: 64, 16, 24
        let curvature = quadraticForm f x v // vᵀHv: 64
        let matrix = hessian f x // all of it, for small x

        Expect.equal [| 56.0; 112.0; 168.0 |] (values gradient)
        Expect.equal [| 64.0; 16.0; 24.0 |] (values product)
        Assert.That(curvature.ToScalar(), Is.EqualTo 64.0)
        Expect.equal [| 3; 3 |] matrix.Shape

    [<Test>]
    let ``values come along`` () =
        let f (x: Tensor) = Tensor.square (Tensor.dot x x)
        let x = tensor [ 1.0; 2.0; 3.0 ]

        let value, gradient = fgrad f x

        Assert.That(value.ToScalar(), Is.EqualTo 196.0)
        Expect.equal [| 56.0; 112.0; 168.0 |] (values gradient)

    [<Test>]
    let ``derivatives nest`` () =
        let third = diffn 3 Tensor.exp (tensor 0.0)

        // The gradient of the trace of the Hessian: a third derivative along every axis.
        let f (x: Tensor) = Tensor.square (Tensor.dot x x)
        let slope = grad (laplacian f) (tensor [ 1.0; 2.0; 3.0 ])

        Assert.That(third.ToScalar(), Is.EqualTo 1.0)
        Expect.close 1e-13 [| 40.0; 80.0; 120.0 |] (values slope)

    [<Test>]
    let ``functions with many outputs`` () =
        // A rotation of the plane that grows with the distance from the origin.
        let field (p: Tensor) = Tensor.dot p p * Tensor.stack 0 [ -(Tensor.item 0 1 p); Tensor.item 0 0 p ]
        let p = tensor [ 1.0; 2.0 ]

        let matrix = jacobian field p // [outputs; inputs]
        let trace = divergence field p // 0
        let forward = jacobianv field p (tensor [ 1.0; 0.0 ])
        let backward = jacobianTv field p (tensor [ 1.0; 0.0 ])

        Expect.equal [| -4.0; -13.0; 7.0; 4.0 |] (values matrix)
        Assert.That(trace.ToScalar(), Is.EqualTo 0.0)
        Expect.equal [| -4.0; 7.0 |] (values forward)
        Expect.equal [| -4.0; -13.0 |] (values backward)

    [<Test>]
    let ``many vectors at one point`` () =
        let f (x: Tensor) = Tensor.square (Tensor.dot x x)
        let x = tensor [ 1.0; 2.0; 3.0 ]

        let (value, gradient), multiply = Linearized.gradient f x
        let first = multiply (tensor [ 1.0; 0.0; 0.0 ])
        let second = multiply (tensor [ 0.0; 1.0; 0.0 ])

        let points = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 100; 3 ]
        let gradients = vmap (grad f) points // [100; 3]

        Assert.That(value.ToScalar(), Is.EqualTo 196.0)
        Expect.equal [| 3 |] gradient.Shape
        Expect.equal [| 64.0; 16.0; 24.0 |] (values first)
        Expect.equal [| 16.0; 88.0; 48.0 |] (values second)
        Expect.equal [| 100; 3 |] gradients.Shape

    [<Test>]
    let ``compiled functions`` () =
        let f (x: Tensor) = Tensor.sum (Tensor.square (Tensor.tanh x))
        let x = tensor [ 0.1; -0.4; 0.7 ]

        let gradient = Compile.func (grad f)
        let here = gradient x
        let there = gradient (2.0 * x)

        Expect.close 1e-15 (values (grad f x)) (values here)
        Expect.close 1e-15 (values (grad f (2.0 * x))) (values there)

    [<Test>]
    let ``convolutions`` () =
        let images = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 8; 3; 32; 32 ] // [N; channels; height; width]
        let filters = Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 16; 3; 3; 3 ] // [filters; channels; height; width]
        let maps = images |> Nchw.conv2d (Sliding.Default.WithPadding 1) filters |> Tensor.relu
        let pooled = maps |> Nchw.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
        let features = Nchw.globalAveragePool pooled

        Expect.equal [| 8; 16; 32; 32 |] maps.Shape
        Expect.equal [| 8; 16; 16; 16 |] pooled.Shape
        Expect.equal [| 8; 16 |] features.Shape

        let last = Nchw.toNhwc images |> Nhwc.conv2d (Sliding.Default.WithPadding 1) (Nchw.filtersToNhwc filters)

        Expect.equal [| 8; 32; 32; 16 |] last.Shape

    [<Test>]
    let ``mistakes are typed errors`` () =
        try
            grad (fun x -> 2.0 * x) (tensor [ 1.0; 2.0 ]) |> ignore
        with :? CurvatureException as error ->
            printfn "%s" error.Message // grad: the function must return a scalar, and it returned shape [2]

        let error = raises<ShapeException>(fun () -> grad (fun x -> 2.0 * x) (tensor [ 1.0; 2.0 ]))
        Assert.That(error.Message, Is.EqualTo "grad: the function must return a scalar, and it returned shape [2]")
