namespace Curvature.CSharp;

/// <summary>Ways to estimate, as values: <c>hessian.Estimate(Estimators.XTrace(), StoppingRule.Matvecs(300), Key.OfSeed(1))</c>.</summary>
/// <remarks>Where a probe may be given, none stands for the one that fits the method: vectors of the sphere for traces by XTrace and
/// XNysTrace, independent signs for all others.</remarks>
public static class Estimators
{
    /// <summary>Whatever a measurement learns from random vectors (Girard 1989, Hutchinson 1990).</summary>
    public static Estimator<T> Hutchinson<T>(Measurement<T> measurement, Probe? probe = null) =>
        FSharp.Hutchinson.estimator(probe ?? Probe.Rademacher, measurement.NotNull());

    /// <summary>XTrace (Epperly, Tropp &amp; Webber 2024) for any square operator: half of the products find the range, the other half the
    /// trace there, and each random vector in turn estimates what the others have missed. Unbiased.</summary>
    public static Estimator<Estimate<double>> XTrace(Probe? probe = null) => FSharp.XTrace.withProbe(probe ?? Probe.Sphere);

    /// <summary>XNysTrace (Epperly, Tropp &amp; Webber 2024) for operators that claim to be positive semidefinite, such as Gauss–Newton and
    /// Fisher matrices: one product a vector, and mostly the smallest error of all.</summary>
    public static Estimator<Estimate<double>> XNysTrace(Probe? probe = null) =>
        FSharp.XNysTrace.withProbe(probe ?? Probe.Sphere);

    /// <summary>Hutch++ (Meyer, Musco, Musco &amp; Woodruff 2021) for any square operator: two thirds of the products that the rule allows
    /// for a sketch, one third, or as many quadratic forms, outside it. Unbiased.</summary>
    public static Estimator<Estimate<double>> HutchPlusPlus(Probe? probe = null) =>
        FSharp.HutchPlusPlus.withProbe(probe ?? Probe.Rademacher);

    /// <summary>NA-Hutch++ (Meyer, Musco, Musco &amp; Woodruff 2021) for symmetric operators: Hutch++ without a product that depends on
    /// another one. It needs more of them for the same error.</summary>
    public static Estimator<Estimate<double>> NonadaptiveHutchPlusPlus => FSharp.NonadaptiveHutchPlusPlus.estimator;

    /// <summary>A-Hutch++ (Persson, Cortinovis &amp; Kressner 2022) for symmetric operators: the trace to within an absolute error, which is
    /// missed with a probability of at most twice the risk. It stops by itself.</summary>
    /// <exception cref="ArgumentRangeException">The error is not above 0, or the risk not between 0 and 1.</exception>
    public static Estimator<Estimate<double>> AdaptiveHutchPlusPlus(double absoluteError, double risk) =>
        FSharp.AdaptiveHutchPlusPlus.estimator(absoluteError, risk);

    /// <summary>XDiag (Epperly, Tropp &amp; Webber 2024): the diagonal of a square operator, <see cref="DType.Float64"/> [n], by the idea of
    /// XTrace. Unbiased.</summary>
    public static Estimator<Estimate<Tensor>> XDiag(Probe? probe = null) => FSharp.XDiag.withProbe(probe ?? Probe.Rademacher);

    /// <summary>The traces of the diagonal blocks of ranges by XDiag, at the cost of the diagonal, with error bars of their own.</summary>
    public static Estimator<BlockTrace[]> XDiagBlockTraces(IReadOnlyList<ParameterBlock> blocks, Probe? probe = null) =>
        FSharp.XDiag.blockTracesWithProbe(probe ?? Probe.Rademacher, blocks.WithoutNull());

    /// <summary>XNysDiag (Epperly 2025): the diagonal of an operator that claims to be positive semidefinite, <see cref="DType.Float64"/>
    /// [n], by the idea of XNysTrace.</summary>
    public static Estimator<Estimate<Tensor>> XNysDiag(Probe? probe = null) =>
        FSharp.XNysDiag.withProbe(probe ?? Probe.Rademacher);

    /// <summary>The traces of the diagonal blocks of ranges by XNysDiag, at the cost of the diagonal, with error bars of their own.</summary>
    public static Estimator<BlockTrace[]> XNysDiagBlockTraces(IReadOnlyList<ParameterBlock> blocks, Probe? probe = null) =>
        FSharp.XNysDiag.blockTracesWithProbe(probe ?? Probe.Rademacher, blocks.WithoutNull());

    /// <summary>UDiag++ (Baston &amp; Nakatsukasa 2022, in the unbiased form of Epperly 2025): the diagonal of a square operator,
    /// <see cref="DType.Float64"/> [n], in three parts as Hutch++.</summary>
    public static Estimator<Estimate<Tensor>> UDiagPlusPlus => FSharp.UDiagPlusPlus.estimator;
}
