namespace Curvature.CSharp;

/// <summary>Derivatives of functions of tensors: the function first, then the point, then a direction. They nest to any
/// depth and in any mix. The forms that begin with <c>ValueAnd</c> return f(x) too, at no further cost.</summary>
/// <remarks>All of them raise <see cref="ShapeException"/> and <see cref="DTypeException"/> where the function, the
/// point and the direction do not fit together, and <see cref="DifferentiationException"/> where the function cannot be
/// differentiated.</remarks>
public static class Differentiate
{
    // ---- gradients

    /// <inheritdoc cref="FSharp.Differentiation.grad"/>
    public static Tensor Gradient(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.grad(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fgrad"/>
    public static ValueAndGradient ValueAndGradient(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fgrad(f.ToFSharp(), x.NotNull())
            .Into((value, gradient) => new ValueAndGradient(value, gradient));

    /// <inheritdoc cref="FSharp.Differentiation.gradv"/>
    public static Tensor DirectionalDerivative(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.gradv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fgradv"/>
    public static ValueAndDerivative ValueAndDirectionalDerivative(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.fgradv(f.ToFSharp(), x.NotNull(), v.NotNull())
            .Into((value, derivative) => new ValueAndDerivative(value, derivative));

    /// <inheritdoc cref="FSharp.Differentiation.diff"/>
    public static Tensor Derivative(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.diff(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.diffn"/>
    public static Tensor Derivative(Func<Tensor, Tensor> f, Tensor x, int order) =>
        FSharp.Differentiation.diffn(order, f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fdiff"/>
    public static ValueAndDerivative ValueAndDerivative(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fdiff(f.ToFSharp(), x.NotNull())
            .Into((value, derivative) => new ValueAndDerivative(value, derivative));

    // ---- second derivatives

    /// <inheritdoc cref="FSharp.Differentiation.hessian"/>
    public static Tensor Hessian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.hessian(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fgradhessian"/>
    public static ValueGradientAndHessian ValueGradientAndHessian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fgradhessian(f.ToFSharp(), x.NotNull())
            .Into((value, gradient, hessian) => new ValueGradientAndHessian(value, gradient, hessian));

    /// <inheritdoc cref="FSharp.Differentiation.hessianv"/>
    public static Tensor HessianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.hessianv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fgradhessianv"/>
    public static ValueAndHessianVectorProduct ValueAndHessianVectorProduct(
        Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.fgradhessianv(f.ToFSharp(), x.NotNull(), v.NotNull())
            .Into((value, slope, product) => new ValueAndHessianVectorProduct(value, slope, product));

    /// <inheritdoc cref="FSharp.Differentiation.quadraticForm"/>
    public static Tensor QuadraticForm(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.quadraticForm(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fquadraticForm"/>
    public static ValueAndQuadraticForm ValueAndQuadraticForm(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.fquadraticForm(f.ToFSharp(), x.NotNull(), v.NotNull())
            .Into((value, form) => new ValueAndQuadraticForm(value, form));

    /// <inheritdoc cref="FSharp.TaylorMode.laplacian"/>
    public static Tensor Laplacian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode.laplacian(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.TaylorMode.flaplacian"/>
    public static ValueAndLaplacian ValueAndLaplacian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.TaylorMode.flaplacian(f.ToFSharp(), x.NotNull())
            .Into((value, laplacian) => new ValueAndLaplacian(value, laplacian));

    // ---- functions that return tensors of any shape

    /// <inheritdoc cref="FSharp.Differentiation.jacobian"/>
    public static Tensor Jacobian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.jacobian(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fjacobian"/>
    public static ValueAndJacobian ValueAndJacobian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fjacobian(f.ToFSharp(), x.NotNull())
            .Into((value, jacobian) => new ValueAndJacobian(value, jacobian));

    /// <inheritdoc cref="FSharp.Differentiation.jacobianv"/>
    public static Tensor JacobianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.jacobianv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fjacobianv"/>
    public static ValueAndProduct ValueAndJacobianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.fjacobianv(f.ToFSharp(), x.NotNull(), v.NotNull())
            .Into((value, product) => new ValueAndProduct(value, product));

    /// <inheritdoc cref="FSharp.Differentiation.jacobianTv"/>
    public static Tensor VectorJacobianProduct(Func<Tensor, Tensor> f, Tensor x, Tensor u) =>
        FSharp.Differentiation.jacobianTv(f.ToFSharp(), x.NotNull(), u.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fjacobianTv"/>
    public static ValueAndProduct ValueAndVectorJacobianProduct(Func<Tensor, Tensor> f, Tensor x, Tensor u) =>
        FSharp.Differentiation.fjacobianTv(f.ToFSharp(), x.NotNull(), u.NotNull())
            .Into((value, product) => new ValueAndProduct(value, product));

    /// <inheritdoc cref="FSharp.Differentiation.divergence"/>
    public static Tensor Divergence(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.divergence(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fdivergence"/>
    public static ValueAndDivergence ValueAndDivergence(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fdivergence(f.ToFSharp(), x.NotNull())
            .Into((value, divergence) => new ValueAndDivergence(value, divergence));

    /// <inheritdoc cref="FSharp.Differentiation.curl"/>
    public static Tensor Curl(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.curl(f.ToFSharp(), x.NotNull());

    /// <inheritdoc cref="FSharp.Differentiation.fcurl"/>
    public static ValueAndCurl ValueAndCurl(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fcurl(f.ToFSharp(), x.NotNull()).Into((value, curl) => new ValueAndCurl(value, curl));

    /// <inheritdoc cref="FSharp.Differentiation.fcurldivergence"/>
    public static ValueCurlAndDivergence ValueCurlAndDivergence(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.fcurldivergence(f.ToFSharp(), x.NotNull())
            .Into((value, curl, divergence) => new ValueCurlAndDivergence(value, curl, divergence));

    // ---- the derivative at a point, for many vectors

    /// <inheritdoc cref="FSharp.Differentiation.linearize"/>
    public static Linearization Linearize(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.linearize(f.ToFSharp(), x.NotNull())
            .Into((value, derivative) => new Linearization(value, derivative));

    /// <inheritdoc cref="FSharp.Differentiation.vjp"/>
    public static Pullback Pullback(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.vjp(f.ToFSharp(), x.NotNull()).Into((value, pull) => new Pullback(value, pull.Invoke));

    /// <inheritdoc cref="FSharp.Linearized.gradient"/>
    public static GradientLinearization LinearizeGradient(Func<Tensor, Tensor> f, Tensor x)
    {
        var ((value, gradient), product) = FSharp.Linearized.gradient(f.ToFSharp(), x.NotNull());
        return new(value, gradient, product.Invoke);
    }

    /// <inheritdoc cref="FSharp.Linearized.quadraticForm"/>
    public static QuadraticFormLinearization LinearizeQuadraticForm(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Linearized.quadraticForm(f.ToFSharp(), x.NotNull())
            .Into((value, form) => new QuadraticFormLinearization(value, form.Invoke));

    /// <inheritdoc cref="FSharp.Differentiation.vmap"/>
    public static Tensor VectorMap(Func<Tensor, Tensor> f, Tensor stack) =>
        FSharp.Differentiation.vmap(f.ToFSharp(), stack.NotNull());
}
