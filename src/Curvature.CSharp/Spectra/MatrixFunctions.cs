namespace Curvature.CSharp;

/// <summary>Products f(A)v of functions of symmetric operators, with their errors, and f(A) as an operator:
/// <c>hessian.ApplyFunction(SpectralFunction.Sqrt, v)</c>.</summary>
public static class MatrixFunctions
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.MatrixFunction.apply"/>
        public FunctionProduct ApplyFunction(
            SpectralFunction f, Tensor v, MatrixFunctionOptions? options = null) =>
            FSharp.MatrixFunction.applyWith(
                options ?? MatrixFunctionOptions.Default, f.NotNull(), linearOperator.NotNull(), v.NotNull());

        /// <inheritdoc cref="FSharp.MatrixFunction.chebyshev"/>
        public FunctionProduct ApplyFunctionByChebyshev(
            SpectralFunction f, Tensor v, MatrixFunctionOptions? options = null) =>
            FSharp.MatrixFunction.chebyshevWith(
                options ?? MatrixFunctionOptions.Default, f.NotNull(), linearOperator.NotNull(), v.NotNull());

        /// <inheritdoc cref="FSharp.MatrixFunction.block"/>
        public FunctionProduct ApplyFunctionToBlock(
            SpectralFunction f, Tensor v, MatrixFunctionOptions? options = null) =>
            FSharp.MatrixFunction.blockWith(
                options ?? MatrixFunctionOptions.Default, f.NotNull(), linearOperator.NotNull(), v.NotNull());

        /// <inheritdoc cref="FSharp.MatrixFunction.operatorWith"/>
        public LinearOperator Function(SpectralFunction f, MatrixFunctionOptions? options = null) =>
            FSharp.MatrixFunction.operatorWith(
                options ?? MatrixFunctionOptions.Default, f.NotNull(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.KrylovAwareTrace.estimate"/>
        public Estimate<double> KrylovAwareTrace(
            SpectralFunction f, int steps, int matvecs, Key key = default, RunOptions? options = null) =>
            FSharp.KrylovAwareTrace.estimateWith(
                options.OrDefault(), f.NotNull(), steps, matvecs, key, linearOperator.NotNull());
    }

    extension(SpectralFunction)
    {
        /// <inheritdoc cref="FSharp.SpectralFunction.exp"/>
        public static SpectralFunction Exp => FSharp.SpectralFunction.exp;

        /// <inheritdoc cref="FSharp.SpectralFunction.expOf"/>
        public static SpectralFunction ExpOf(double time) => FSharp.SpectralFunction.expOf(time);

        /// <inheritdoc cref="FSharp.SpectralFunction.log"/>
        public static SpectralFunction Log => FSharp.SpectralFunction.log;

        /// <inheritdoc cref="FSharp.SpectralFunction.sqrt"/>
        public static SpectralFunction Sqrt => FSharp.SpectralFunction.sqrt;

        /// <inheritdoc cref="FSharp.SpectralFunction.inverseSqrt"/>
        public static SpectralFunction InverseSqrt => FSharp.SpectralFunction.inverseSqrt;

        /// <inheritdoc cref="FSharp.SpectralFunction.inverse"/>
        public static SpectralFunction Inverse => FSharp.SpectralFunction.inverse;

        /// <inheritdoc cref="FSharp.SpectralFunction.sign"/>
        public static SpectralFunction Sign => FSharp.SpectralFunction.sign;

        /// <inheritdoc cref="FSharp.SpectralFunction.ofFunction"/>
        public static SpectralFunction OfFunction(string name, Func<double, double> f) =>
            FSharp.SpectralFunction.ofFunction(name.NotNull(), f.ToFSharp());
    }

    extension(SpectralFunction f)
    {
        /// <inheritdoc cref="FSharp.SpectralFunction.withDerivative"/>
        public SpectralFunction WithDerivative(Func<double, double> derivative) =>
            FSharp.SpectralFunction.withDerivative(derivative.ToFSharp(), f.NotNull());
    }
}
