namespace Curvature.Tests.Unit

open System
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<TestFixture>]
type DivergenceTests() =

    let key = Key.OfSeed 100L
    let x = tensor [ 0.3; -0.7; 1.1; 0.4 ]
    let weights = Matrices.counting 4
    let linear (x: Tensor) = Tensor.matmul weights x
    let field (x: Tensor) = Tensor.tanh (Tensor.matmul (Matrices.random 101 4 4) x) * x
    let stack = Matrices.random 102 7 4

    [<Test>]
    member _.``the divergence of a linear field is the trace of its matrix``() =
        let exact = Divergence.exact linear x
        Assert.That((exact.Value, exact.IsExact, exact.Matvecs), Is.EqualTo((34.0, true, 4)))
        // The 4×4 matrix of 1 … 16 has trace 34 and, with signs, a variance of 1984, because only its symmetric part
        // counts.
        let sampled = Divergence.hutchinson (StoppingRule.matvecs 4000) key linear x
        Assert.That(abs (sampled.Value - 34.0), Is.LessThan(5.0 * sqrt (1984.0 / 4000.0)))
        Assert.That(sampled.StandardError, Is.EqualTo(sqrt (1984.0 / 4000.0)).Within(8).Percent)

    [<Test>]
    member _.``a rotation has no divergence, and signs see that at once``() =
        let rotation (x: Tensor) = Tensor.matmul (tensor [ [ 0.0; 2.0 ]; [ -2.0; 0.0 ] ]) x
        let sampled = Divergence.hutchinson (StoppingRule.matvecs 16) key rotation (tensor [ 1.0; 2.0 ])
        Assert.That((sampled.Value, sampled.StandardError), Is.EqualTo((0.0, 0.0)))

    [<Test>]
    member _.``points of a stack have the divergences that they have alone``() =
        let exact = Divergence.exactAtPoints field stack
        let alone = Array.init 7 (fun i -> (Divergence.exact field (Tensor.item 0 i stack)).Value)
        Expect.tensor 1e-13 [ 7 ] alone exact.Value
        Assert.That((exact.IsExact, exact.Matvecs), Is.EqualTo((true, 4)))
        let sampled = Divergence.hutchinsonAtPoints (StoppingRule.matvecs 400) key field stack

        Array.iter2
            (fun (estimate: Estimate<float>) truth ->
                Assert.That(abs (estimate.Value - truth), Is.LessThan(5.0 * estimate.StandardError)))
            sampled
            alone

    [<Test>]
    member _.``a field of another size than its argument is refused``() =
        let narrow (x: Tensor) = Tensor.slice 0 0 2 x
        Expect.error<OperatorException> [ "square" ] (fun () -> Divergence.exact narrow x |> ignore)

        Expect.error<OperatorException> [ "square" ] (fun () ->
            Divergence.hutchinson (StoppingRule.matvecs 4) key narrow x |> ignore)

        Expect.error<ShapeException> [ "leading axis" ] (fun () ->
            Divergence.exactAtPoints field (Tensor.scalar DType.Float64 1.0) |> ignore)

        Expect.error<NonFiniteException> [ "Jacobian" ] (fun () ->
            Divergence.exact (fun x -> Tensor.log x * x) x |> ignore)
