namespace Curvature.Tests.Unit

open NUnit.Framework
open Curvature
open Curvature.FSharp

/// The examples of dense decompositions, ranks and shift-invert.
module ResultExamples =

    let private values = Array.init 30 (fun i -> float (i + 1))

    let private hessian =
        LinearOperator.ofDiagonal (Tensor.ofArray [ 30 ] values)
        |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

    [<Test>]
    let ``dense decompositions`` () =
        let eigenvalues = Exact.eigenvalues hessian // n products, and a dense decomposition
        let logDeterminant = Exact.logDeterminant hessian
        let condition = Exact.conditionNumber hessian
        printfn $"{logDeterminant}, shorter {logDeterminant:F2}; your own: {Numbers.withError 0.12 3.456}"

        Assert.That((Tensor.sum eigenvalues.Value).ToScalar(), Is.EqualTo(465.0).Within 1e-9)
        Assert.That(logDeterminant.Value, Is.EqualTo(Array.sumBy log values).Within 1e-9)
        Assert.That(condition.Value, Is.EqualTo(30.0).Within 1e-9)

    [<Test>]
    let ``smallest eigenvalues by the inverse`` () =
        let smallest = ShiftInvert.smallest 0.1 3 hessian // of A, by systems with A + 0.1·I
        printfn $"{smallest}"

        Assert.That(smallest.Values[2], Is.EqualTo(3.0).Within 1e-6)

    [<Test>]
    let ``ranks`` () =
        let spectrum = Spectrum.automatic 10 25 (Key.OfSeed 1L) hessian
        let rank = Rank.effective spectrum // exp(−Σ pᵢ ln pᵢ) for pᵢ = λᵢ/tr A
        let share = Rank.normalisedEffective spectrum // of n
        let stable = Rank.stable 0.01 (StoppingRule.matvecs 100) (Key.OfSeed 1L) hessian // ‖A‖²_F/‖A‖₂²

        Assert.That(rank.Value, Is.EqualTo(30.0 * share.Value).Within 1e-9)
        Assert.That(stable.Value, Is.EqualTo(10.5).Within(5).Percent)
