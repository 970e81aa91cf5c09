using NUnit.Framework;

namespace Curvature.Tests.Facade.Surface;

/// <summary>What a C# user sees, and what there is to be seen.</summary>
public sealed class SurfaceTests
{
    /// <summary>Members of types that both languages use and that show an F# type, with what a C# user has
    /// instead.</summary>
    private static readonly Dictionary<string, string> FSharpMembers = new()
    {
        ["CompiledMap.get_Values"] = "an FSharpList, which a C# user sees as an IReadOnlyList",
    };

    /// <summary>Functions for which the facade has no line of its own, with the reason.</summary>
    private static readonly Dictionary<string, string> WithoutForward = new()
    {
        // other names, and parts of a result that the facade returns as a whole
        ["Differentiation.jvp"] = "another name of fjacobianv",
        ["Differentiation.gradhessianv"] = "part of ValueAndHessianVectorProduct",
        ["Differentiation.fhessianv"] = "part of ValueAndHessianVectorProduct",
        ["Differentiation.gradhessian"] = "part of ValueGradientAndHessian",
        ["Differentiation.fhessian"] = "part of ValueGradientAndHessian",
        ["Differentiation.curldivergence"] = "part of ValueCurlAndDivergence",
        ["Nhwc.conv2d"] = "groupedConv2d with one group, the default",
        ["Nchw.conv2d"] = "groupedConv2d with one group, the default",
        ["Nchw.conv1d"] = "groupedConv1d with one group, the default",
        ["Nhwc.convTranspose2d"] = "groupedConvTranspose2d with one group, the default",
        ["Nchw.convTranspose2d"] = "groupedConvTranspose2d with one group, the default",
        ["Nchw.convTranspose1d"] = "groupedConvTranspose1d with one group, the default",
        ["ImageLayer.conv1d"] = "groupedConv1d with one group, the default",
        ["ImageLayer.conv2d"] = "groupedConv2d with one group, the default",
        ["ImageLayer.convTranspose2d"] = "groupedConvTranspose2d with one group, the default",
        ["Attention.rotary"] = "rotaryFrom place 0, the default",

        ["TaylorMode.sumOfDerivatives"] = "part of SumOfDerivatives",
        ["TaylorMode.weightedSumOfDerivatives"] = "part of WeightedSumOfDerivatives",
        ["TaylorMode.weightedLaplacian"] = "part of WeightedLaplacian",
        ["StochasticTaylor.estimate"] = "StochasticTaylor.Estimate, by the estimator",
        ["StochasticTaylor.laplacian"] = "StochasticTaylor.Laplacian, by its estimator",
        ["StochasticTaylor.biharmonic"] = "StochasticTaylor.Biharmonic, by its estimator",
        ["Risk.withGroups"] = "WithGroups, in the package of clusters",

        // nested F# lists
        ["Tensor.ofObject"] = "C# has arrays, and FromArray(double[,])",
        ["TensorBuilders.tensor"] = "C# has arrays, and FromArray(double[,])",

        // members of types and operators that C# calls as they are
        ["Tensor.maximum"] = "Tensor.Maximum, and an extension",
        ["Tensor.minimum"] = "Tensor.Minimum, and an extension",
        ["Tensor.greater"] = "Tensor.Greater, and an extension",
        ["Tensor.greaterOrEqual"] = "Tensor.GreaterOrEqual, and an extension",
        ["Tensor.equal"] = "Tensor.Equal, and an extension",
        ["Tensor.where"] = "Tensor.Where",
        ["LinearOperator.compose"] = "the operator *",
        ["LinearOperator.scale"] = "the operator *",
        ["LinearOperator.transpose"] = "LinearOperator.Transposed",
        ["Network.initialize"] = "Network.Initialize",
        ["Network.forward"] = "Network.Forward",
        ["Network.forTraining"] = "Network.ForTraining",
        ["Network.forEvaluation"] = "Network.ForEvaluation",
        ["Optimizer.step"] = "Optimizer.Step",
        ["Monitor.observe"] = "TrainingMonitor.Observe",
        ["Monitor.measure"] = "TrainingMonitor.Measure",
        ["ParameterLayout.split"] = "ParameterLayout.Split",
        ["ParameterLayout.join"] = "ParameterLayout.Join",

        // forms with default options, of which the facade has those with options
        ["Safetensors.read"] = "Safetensors.Read",
        ["Numpy.read"] = "Numpy.Read",
        ["Numpy.readArchive"] = "Numpy.ReadArchive",
        ["Idx.read"] = "Idx.Read",
        ["Idx.images"] = "Idx.Images",
        ["Cifar.images10"] = "Cifar.Images10",
        ["Cifar.images100"] = "Cifar.Images100",
        ["MatrixMarket.read"] = "MatrixMarket.Read",
        ["MatrixMarket.readDense"] = "MatrixMarket.ReadDense",
        ["SparseHessian.prepare"] = "SparseHessian.Prepare",
        ["SparseHessian.at"] = "SparseHessian.At",
        ["SparseJacobian.prepare"] = "SparseJacobian.Prepare",
        ["SparseJacobian.at"] = "SparseJacobian.At",
        ["SparseMatrix.read"] = "SparseMatrix.Read",
        ["MatrixFunction.block"] = "ApplyFunctionToBlock",
        ["Estimate.run"] = "Estimate",
        ["Exact.measure"] = "MeasureExactly",
        ["Exact.diagonal"] = "ExactDiagonal",
        ["Exact.trace"] = "ExactTrace",
        ["Exact.blockTraces"] = "ExactBlockTraces",
        ["Exact.frobenius"] = "ExactFrobenius",
        ["Exact.rowNorms"] = "ExactRowNorms",
        ["Exact.eigenvalues"] = "ExactEigenvalues",
        ["Exact.logDeterminant"] = "ExactLogDeterminant",
        ["Exact.conditionNumber"] = "ExactConditionNumber",
        ["Spectrum.exact"] = "ExactSpectrum",
        ["Spectrum.automatic"] = "AutomaticSpectrum",
        ["Rank.stable"] = "StableRank",
        ["ShiftInvert.smallest"] = "ShiftInvert",
        ["Hutchinson.estimate"] = "Measure",
        ["Hutchinson.trace"] = "EstimateTrace",
        ["Hutchinson.diagonal"] = "EstimateDiagonal",
        ["HutchPlusPlus.estimator"] = "Estimators.HutchPlusPlus",
        ["HutchPlusPlus.estimate"] = "Estimate(Estimators.HutchPlusPlus())",
        ["NonadaptiveHutchPlusPlus.estimate"] = "Estimate(Estimators.NonadaptiveHutchPlusPlus)",
        ["AdaptiveHutchPlusPlus.estimate"] = "AdaptiveHutchPlusPlus",
        ["XTrace.estimator"] = "Estimators.XTrace",
        ["XTrace.estimate"] = "Estimate(Estimators.XTrace())",
        ["XNysTrace.estimator"] = "Estimators.XNysTrace",
        ["XNysTrace.estimate"] = "Estimate(Estimators.XNysTrace())",
        ["UDiagPlusPlus.estimate"] = "Estimate(Estimators.UDiagPlusPlus)",
        ["XDiag.estimator"] = "Estimators.XDiag",
        ["XDiag.estimate"] = "Estimate(Estimators.XDiag())",
        ["XDiag.blockTraces"] = "Estimate(Estimators.XDiagBlockTraces(blocks))",
        ["XNysDiag.estimator"] = "Estimators.XNysDiag",
        ["XNysDiag.estimate"] = "Estimate(Estimators.XNysDiag())",
        ["XNysDiag.blockTraces"] = "Estimate(Estimators.XNysDiagBlockTraces(blocks))",
        ["Automatic.trace"] = "AutomaticTrace",
        ["Automatic.diagonal"] = "AutomaticDiagonal",
        ["Norm.frobenius"] = "EstimateFrobenius",
        ["Norm.rowNorms"] = "EstimateRowNorms",
        ["Norm.spectral"] = "SpectralNorm",
        ["ConjugateGradients.solve"] = "Solve",
        ["Neumann.solve"] = "Solve(b, Solver.Neumann(scale))",
        ["Minres.solve"] = "Solve(b, Solver.Minres)",
        ["Gmres.solve"] = "Solve(b, Solver.Gmres(restart))",
        ["Lsqr.solve"] = "Solve(b, Solver.Lsqr(damping))",
        ["Lsmr.solve"] = "Solve(b, Solver.Lsmr(damping))",
        ["MatrixFunction.apply"] = "ApplyFunction",
        ["MatrixFunction.chebyshev"] = "ApplyFunctionByChebyshev",
        ["MatrixFunction.operator"] = "Function",
        ["KrylovAwareTrace.estimate"] = "KrylovAwareTrace",
        ["GolubKahan.largest"] = "GolubKahan",
        ["Divergence.hutchinson"] = "Divergence.Estimate",
        ["Divergence.hutchinsonAtPoints"] = "Divergence.EstimateAtPoints",
        ["CurvatureByTensor.estimate"] = "EstimateByTensor",
        ["ParameterLayout.restrict"] = "ParameterLayout.Restrict",
        ["QuantizationSensitivity.scores"] = "QuantizationScores",
        ["Pruning.curve"] = "PruningCurve",
        ["Kfac.estimate"] = "Kfac",
        ["Landscape.line"] = "LossLine",
        ["Landscape.plane"] = "LossPlane",
        ["Stochastic.trace"] = "Stochastic.Trace",
        ["Stochastic.diagonal"] = "Stochastic.Diagonal",
        ["Stochastic.laplacian"] = "Stochastic.Laplacian",
        ["Stochastic.hessianDiagonal"] = "Stochastic.HessianDiagonal",
        ["Stochastic.divergence"] = "Stochastic.Divergence",
        ["Stochastic.fdivergenceAtPoints"] = "Stochastic.ValueAndDivergenceAtPoints",
        ["Lanczos.from"] = "LanczosFrom",
        ["Lanczos.run"] = "Lanczos",
        ["ThickRestartLanczos.find"] = "ThickRestartLanczos",
        ["Lobpcg.find"] = "Lobpcg",
        ["PowerIteration.find"] = "PowerIteration",
        ["StochasticLanczos.sample"] = "StochasticLanczos",
        ["ChebyshevMoments.sample"] = "ChebyshevMoments",
    };

    [Test]
    public void NoMemberOfTheFacadeShowsAnFSharpType() =>
        Assert.That(Library.FacadeTypes.SelectMany(MembersThatShowFSharp), Is.Empty);

    [Test]
    public void NoMemberOfASharedTypeShowsAnFSharpTypeButForThoseThatAreListed() =>
        Assert.That(Library.SharedTypes.SelectMany(MembersThatShowFSharp), Is.EquivalentTo(FSharpMembers.Keys));

    [Test]
    public void EveryFunctionOfTheLibraryIsReachedFromTheFacadeButForThoseThatAreListed()
    {
        var called = IntermediateLanguage.MethodsCalledBy(Library.Facade);
        var missing = Library.ModuleFunctions.Where(function => !called.Contains(function)).Select(Library.FSharpName)
            .ToArray();
        Assert.That(
            missing.Except(WithoutForward.Keys), Is.Empty, string.Join(", ", missing.Except(WithoutForward.Keys)));
        Assert.That(WithoutForward.Keys.Except(missing), Is.Empty);
    }

    [Test]
    public void TheSearchFindsTheFunctionsOfTheLibrary()
    {
        var names = Library.ModuleFunctions.Select(Library.FSharpName).ToArray();
        Assert.That(names, Has.Length.GreaterThan(100));
        Assert.That(names, Is.SupersetOf(new[] { "Tensor.tanh", "Differentiation.grad", "Compile.func" }));
    }

    [Test]
    public void NamesOfTheFacadeDoNotHideThoseOfSharedTypes() =>
        Assert.That(
            Library.FacadeTypes.Select(type => type.Name),
            Has.None.AnyOf(Library.SharedTypes.Select(t => t.Name).ToArray()));

    [Test]
    public void TheFacadeHasNoTasksAndNoOptionsOfItsOwn()
    {
        var tasks =
            from type in Library.FacadeTypes
            from signature in Library.Signatures(type)
            where signature.Types.Any(typeof(Task).IsAssignableFrom)
            select signature.Name;
        Assert.That(tasks, Is.Empty);
        Assert.That(Library.FacadeTypes.Where(type => type.GetConstructor([]) is not null), Is.Empty);
    }

    private static IEnumerable<string> MembersThatShowFSharp(Type type) =>
        from signature in Library.Signatures(type)
        where signature.Types.Any(Library.MentionsFSharp)
        select signature.Name;
}
