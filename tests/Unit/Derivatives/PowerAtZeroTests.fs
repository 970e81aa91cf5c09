namespace Curvature.Tests.Unit.Derivatives

open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Single points where derivatives of powers and norms are easily lost, and indices that are easily not checked.
[<TestFixture>]
type PowerAtZeroTests() =

    static let at = tensor [ 0.0; 2.0 ]
    static let ones = tensor [ 1.0; 1.0 ]

    /// Σ xᵖ, with a tensor of exponents.
    static let powers (p: float) (x: Tensor) = Tensor.sum (Tensor.Pow(x, Tensor.fullLike x p))

    /// Σ 0ʸ.
    static let powersOfZero (y: Tensor) = Tensor.sum (Tensor.Pow(Tensor.zerosLike y, y))

    static let zeros shape = Tensor.zeros DType.Float64 shape
    static let index i = Tensor.ofIndices [ 1 ] [| i |]

    static let embedding () =
        let network = Network.ofLayer (Attention.embedding 4 2)
        let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
        Network.forward network theta (Tensor.ofIndices [ 1; 1 ] [| 9 |])

    [<Test>]
    member _.``x to a tensor of ones has the gradient 1 and the Hessian 0 at 0``() =
        Expect.close 0.0 [| 1.0; 1.0 |] ((grad (powers 1.0) at).ToArray())
        Expect.close 0.0 [| 0.0; 0.0 |] ((hessianv (powers 1.0) at ones).ToArray())

    [<Test>]
    member _.``x to a tensor of twos has the derivatives 0, 2 and 0 at 0``() =
        Expect.close 1e-15 [| 0.0; 4.0 |] ((grad (powers 2.0) at).ToArray())
        Expect.close 1e-15 [| 2.0; 2.0 |] ((hessianv (powers 2.0) at ones).ToArray())
        let third = grad (fun x -> quadraticForm (powers 2.0) x (Tensor.onesLike x)) at
        Expect.close 1e-15 [| 0.0; 0.0 |] (third.ToArray())

    [<Test>]
    member _.``x to a tensor of zeros has the gradient 0 at 0``() =
        Expect.close 0.0 [| 0.0; 0.0 |] ((grad (powers 0.0) at).ToArray())

    [<Test>]
    member _.``0 to the y has the derivative 0 in y where y is positive``() =
        Expect.close 0.0 [| 0.0 |] ((grad powersOfZero (tensor [ 2.0 ])).ToArray())

    [<Test>]
    member _.``x squared has the third derivative 0 at 0``() =
        Expect.scalar 0.0 0.0 (diffn 3 (fun x -> x ** 2.0) (Tensor.scalar DType.Float64 0.0))

    [<Test>]
    member _.``x to the 2.5 has the second derivative 0 at 0``() =
        Expect.scalar 0.0 0.0 (diffn 2 (fun x -> x ** 2.5) (Tensor.scalar DType.Float64 0.0))

    [<Test>]
    member _.``a norm in a loss has the gradient of the rest at 0``() =
        let gradient = grad (fun x -> Tensor.norm x + Tensor.sum x) (zeros [ 2 ])
        Expect.close 0.0 [| 1.0; 1.0 |] (gradient.ToArray())

    static member OutOfRange: obj[] seq =
        [
            "take", fun () -> Tensor.take 0 (index 7) (zeros [ 3; 2 ])
            "pick", fun () -> Tensor.pick (index 7) (zeros [ 1; 2 ])
            "scatterAdd", fun () -> Tensor.scatterAdd 0 2 (index 7) (zeros [ 1; 2 ])
            "embedding", embedding
            "oneHot", fun () -> Tensor.oneHot DType.Float64 2 (index 9)
            "item", fun () -> Tensor.item 0 9 (zeros [ 3; 2 ])
            "slice", fun () -> Tensor.slice 0 2 9 (zeros [ 3; 2 ])
        ]
        |> Seq.map (fun (name: string, f: unit -> Tensor) -> [| box name; box f |])

    [<TestCaseSource("OutOfRange")>]
    member _.``an index out of range is refused by the library, not by the runtime``(_: string, f: obj) =
        let isRefused =
            try
                (f :?> unit -> Tensor) () |> ignore
                false
            with :? CurvatureException ->
                true

        Expect.isTrue "a CurvatureException" isRefused
