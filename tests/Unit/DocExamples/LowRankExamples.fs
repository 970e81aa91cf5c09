namespace DocExamples

open NUnit.Framework
open Curvature
open Curvature.FSharp

/// The F# of docs/low-rank.md.
module LowRankExamples =

    /// Symmetric, with eigenvalues that fall.
    let private gaussNewton =
        let n = 200
        let a = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ n; n ]
        let falling = Tensor.ofArray [ n; 1 ] (Array.init n (fun i -> 1.0 / float (i + 1)))
        falling * a |> LinearOperator.ofMatrix |> LinearOperator.gram

    let private hessian = gaussNewton
    let private truth = (Exact.trace hessian).Value
    let private weights = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 5; 5 ]
    let private points = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ 3; 5 ]
    let private point = Tensor.item 0 0 points

    let private isNear (trace: Estimate<float>) =
        Assert.That(abs (trace.Value - truth), Is.LessThan(6.0 * trace.StandardError))

    [<Test>]
    let ``without choosing`` () =
        let chosen = Automatic.trace (StoppingRule.relativeError 0.01) (Key.OfSeed 1L) gaussNewton
        printfn $"{chosen.Estimate.Value} by {chosen.Method}: {chosen.Reason}"
        let diagonal = Automatic.diagonal (StoppingRule.relativeError 0.05) (Key.OfSeed 1L) hessian

        isNear chosen.Estimate
        Assert.That(diagonal.Method, Is.Not.Empty)

    [<Test>]
    let ``a trace to one percent`` () =
        let stop = StoppingRule.relativeError 0.01 |> StoppingRule.orElse (StoppingRule.matvecs 300)
        let trace = XTrace.estimate stop (Key.OfSeed 1L) hessian
        let ofGaussNewton = XNysTrace.estimate stop (Key.OfSeed 1L) gaussNewton
        printfn $"{trace.Value} ± {trace.StandardError} from {trace.Matvecs} products"

        isNear trace
        isNear ofGaussNewton

    [<Test>]
    let ``a number of products`` () =
        let trace = HutchPlusPlus.estimate (StoppingRule.matvecs 90) (Key.OfSeed 1L) hessian
        let atOnce = NonadaptiveHutchPlusPlus.estimate (StoppingRule.matvecs 90) (Key.OfSeed 1L) hessian

        isNear trace
        isNear atOnce

    [<Test>]
    let ``an error that is promised`` () =
        let trace = AdaptiveHutchPlusPlus.estimate 2.0 0.025 (Key.OfSeed 1L) hessian

        Assert.That(trace.Value, Is.EqualTo(truth).Within 2.0)

    [<Test>]
    let ``diagonals`` () =
        let stop, key = StoppingRule.matvecs 60, Key.OfSeed 1L
        let diagonal = XDiag.estimate stop key hessian
        let inThreeParts = UDiagPlusPlus.estimate (StoppingRule.matvecs 60) key hessian
        let ofGaussNewton = XNysDiag.estimate stop key gaussNewton

        let blocks = [ ParameterBlock("first", 0, 50); ParameterBlock("rest", 50, 150) ]

        for block in XNysDiag.blockTraces stop key blocks gaussNewton do
            printfn $"{block.Block.Name}: {block.Trace}"

        let entries = (Exact.diagonal hessian).Value

        for estimate in [ diagonal; inThreeParts; ofGaussNewton ] do
            let errors = Tensor.abs (estimate.Value - entries) / estimate.StandardError
            Assert.That((Tensor.max errors).ToScalar(), Is.LessThan 12.0)

    [<Test>]
    let ``norms`` () =
        let stop, key = StoppingRule.relativeError 0.05, Key.OfSeed 1L
        let frobenius = Norm.frobenius stop key hessian
        let rows = Norm.rowNorms (StoppingRule.matvecs 200) key hessian
        let spectral = Norm.spectral 0.01 key hessian
        printfn $"‖A‖₂ is {spectral.Value} or more, and {(spectral.Interval 0.95).High} at most"

        Assert.That(frobenius.Value, Is.EqualTo((Exact.frobenius hessian).Value).Within(15).Percent)
        Assert.That(rows.Value.Size, Is.EqualTo 200)
        Assert.That((spectral.Interval 0.95).High, Is.LessThan(1.011 * spectral.Value))

    [<Test>]
    let ``divergence of a flow`` () =
        let field (x: Tensor) = Tensor.tanh (Tensor.matmul weights x)
        let exact = Divergence.exact field point
        let estimate = Divergence.hutchinson (StoppingRule.matvecs 100) (Key.OfSeed 1L) field point
        let atPoints = Divergence.hutchinsonAtPoints (StoppingRule.matvecs 100) (Key.OfSeed 1L) field points

        Assert.That(abs (estimate.Value - exact.Value), Is.LessThan(6.0 * estimate.StandardError))
        Assert.That(atPoints.Length, Is.EqualTo 3)
