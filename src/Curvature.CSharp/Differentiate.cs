namespace Curvature.CSharp;

/// <summary>Derivatives of functions of tensors: the function first, then the point, then a direction. They nest to any depth and in
/// any mix. The forms that begin with <c>ValueAnd</c> return f(x) too, at no further cost.</summary>
/// <remarks>All of them raise <see cref="ShapeException"/> and <see cref="DTypeException"/> where the function, the point and the
/// direction do not fit together, and <see cref="DifferentiationException"/> where the function cannot be differentiated.</remarks>
public static class Differentiate
{
    // ---- gradients

    /// <summary>The gradient of a scalar function, in the shape of x: one forward and one backward pass.</summary>
    public static Tensor Gradient(Func<Tensor, Tensor> f, Tensor x) => FSharp.Differentiation.grad(f.ToFSharp(), x.NotNull());

    /// <summary>The value and the gradient of a scalar function: one forward and one backward pass.</summary>
    public static ValueAndGradient ValueAndGradient(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, gradient) = FSharp.Differentiation.fgrad(f.ToFSharp(), x.NotNull());
        return new(value, gradient);
    }

    /// <summary>The derivative of a scalar function along v: one forward pass.</summary>
    public static Tensor DirectionalDerivative(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.gradv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <summary>The value of a scalar function and its derivative along v: one forward pass.</summary>
    public static ValueAndDerivative ValueAndDirectionalDerivative(Func<Tensor, Tensor> f, Tensor x, Tensor v)
    {
        var (value, derivative) = FSharp.Differentiation.fgradv(f.ToFSharp(), x.NotNull(), v.NotNull());
        return new(value, derivative);
    }

    /// <summary>The derivative of a function of a scalar.</summary>
    public static Tensor Derivative(Func<Tensor, Tensor> f, Tensor x) => FSharp.Differentiation.diff(f.ToFSharp(), x.NotNull());

    /// <summary>The derivative of a given order of a function of a scalar; of order 0, its value.</summary>
    /// <exception cref="ArgumentRangeException">The order is negative or above 64.</exception>
    public static Tensor Derivative(Func<Tensor, Tensor> f, Tensor x, int order) =>
        FSharp.Differentiation.diffn(order, f.ToFSharp(), x.NotNull());

    /// <summary>The value and the derivative of a function of a scalar.</summary>
    public static ValueAndDerivative ValueAndDerivative(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, derivative) = FSharp.Differentiation.fdiff(f.ToFSharp(), x.NotNull());
        return new(value, derivative);
    }

    // ---- second derivatives

    /// <summary>The Hessian of a scalar function, of shape [axes of x, axes of x]: one product per element of x.</summary>
    public static Tensor Hessian(Func<Tensor, Tensor> f, Tensor x) => FSharp.Differentiation.hessian(f.ToFSharp(), x.NotNull());

    /// <summary>The value, gradient and Hessian of a scalar function: one product per element of x.</summary>
    public static ValueGradientAndHessian ValueGradientAndHessian(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, gradient, hessian) = FSharp.Differentiation.fgradhessian(f.ToFSharp(), x.NotNull());
        return new(value, gradient, hessian);
    }

    /// <summary>H·v of a scalar function, at the cost of about two gradients. To multiply many vectors at one point, use
    /// <see cref="LinearizeGradient"/>.</summary>
    public static Tensor HessianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.hessianv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <summary>The value of a scalar function, its derivative along v, and H·v: forward over reverse.</summary>
    public static ValueAndHessianVectorProduct ValueAndHessianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v)
    {
        var (value, slope, product) = FSharp.Differentiation.fgradhessianv(f.ToFSharp(), x.NotNull(), v.NotNull());
        return new(value, slope, product);
    }

    /// <summary>vᵀHv of a scalar function, without the product H·v: one gradient and one forward pass.</summary>
    public static Tensor QuadraticForm(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.quadraticForm(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <summary>The value and vᵀHv of a scalar function, without the product H·v: one gradient and one forward pass.</summary>
    public static ValueAndQuadraticForm ValueAndQuadraticForm(Func<Tensor, Tensor> f, Tensor x, Tensor v)
    {
        var (value, form) = FSharp.Differentiation.fquadraticForm(f.ToFSharp(), x.NotNull(), v.NotNull());
        return new(value, form);
    }

    /// <summary>The Laplacian Σ ∂²f/∂xᵢ² of a scalar function: one quadratic form per element of x.</summary>
    public static Tensor Laplacian(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.laplacian(f.ToFSharp(), x.NotNull());

    /// <summary>The value and the Laplacian Σ ∂²f/∂xᵢ² of a scalar function: one quadratic form per element of x.</summary>
    public static ValueAndLaplacian ValueAndLaplacian(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, laplacian) = FSharp.Differentiation.flaplacian(f.ToFSharp(), x.NotNull());
        return new(value, laplacian);
    }

    // ---- functions that return tensors of any shape

    /// <summary>The Jacobian, of shape [axes of f(x), axes of x]: forward where x has fewer elements than f(x), else reverse.</summary>
    public static Tensor Jacobian(Func<Tensor, Tensor> f, Tensor x) => FSharp.Differentiation.jacobian(f.ToFSharp(), x.NotNull());

    /// <summary>The value and the Jacobian: forward where x has fewer elements than f(x), else reverse.</summary>
    public static ValueAndJacobian ValueAndJacobian(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, jacobian) = FSharp.Differentiation.fjacobian(f.ToFSharp(), x.NotNull());
        return new(value, jacobian);
    }

    /// <summary>J·v, the derivative along v: one forward pass.</summary>
    public static Tensor JacobianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v) =>
        FSharp.Differentiation.jacobianv(f.ToFSharp(), x.NotNull(), v.NotNull());

    /// <summary>The value and J·v: one forward pass.</summary>
    public static ValueAndProduct ValueAndJacobianVectorProduct(Func<Tensor, Tensor> f, Tensor x, Tensor v)
    {
        var (value, product) = FSharp.Differentiation.fjacobianv(f.ToFSharp(), x.NotNull(), v.NotNull());
        return new(value, product);
    }

    /// <summary>Jᵀ·u for a cotangent u in the shape of f(x): one forward and one backward pass.</summary>
    public static Tensor VectorJacobianProduct(Func<Tensor, Tensor> f, Tensor x, Tensor u) =>
        FSharp.Differentiation.jacobianTv(f.ToFSharp(), x.NotNull(), u.NotNull());

    /// <summary>The value and Jᵀ·u for a cotangent u in the shape of f(x): one forward and one backward pass.</summary>
    public static ValueAndProduct ValueAndVectorJacobianProduct(Func<Tensor, Tensor> f, Tensor x, Tensor u)
    {
        var (value, product) = FSharp.Differentiation.fjacobianTv(f.ToFSharp(), x.NotNull(), u.NotNull());
        return new(value, product);
    }

    /// <summary>The divergence Σ ∂fᵢ/∂xᵢ of a vector field: one derivative along each axis.</summary>
    public static Tensor Divergence(Func<Tensor, Tensor> f, Tensor x) =>
        FSharp.Differentiation.divergence(f.ToFSharp(), x.NotNull());

    /// <summary>The value and the divergence Σ ∂fᵢ/∂xᵢ of a vector field: one derivative along each axis.</summary>
    public static ValueAndDivergence ValueAndDivergence(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, divergence) = FSharp.Differentiation.fdivergence(f.ToFSharp(), x.NotNull());
        return new(value, divergence);
    }

    /// <summary>The curl of a vector field in three dimensions.</summary>
    public static Tensor Curl(Func<Tensor, Tensor> f, Tensor x) => FSharp.Differentiation.curl(f.ToFSharp(), x.NotNull());

    /// <summary>The value and the curl of a vector field in three dimensions.</summary>
    public static ValueAndCurl ValueAndCurl(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, curl) = FSharp.Differentiation.fcurl(f.ToFSharp(), x.NotNull());
        return new(value, curl);
    }

    /// <summary>The value, curl and divergence of a vector field in three dimensions.</summary>
    public static ValueCurlAndDivergence ValueCurlAndDivergence(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, curl, divergence) = FSharp.Differentiation.fcurldivergence(f.ToFSharp(), x.NotNull());
        return new(value, curl, divergence);
    }

    // ---- the derivative at a point, for many vectors

    /// <summary>The value of f at x, and its derivative there as a linear map that does not run f again.</summary>
    public static Linearization Linearize(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, derivative) = FSharp.Differentiation.linearize(f.ToFSharp(), x.NotNull());
        return new(value, derivative);
    }

    /// <summary>The value of f at x, and the map u ↦ Jᵀ·u from cotangents of the value.</summary>
    public static Pullback Pullback(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, pull) = FSharp.Differentiation.vjp(f.ToFSharp(), x.NotNull());
        return new(value, pull.Invoke);
    }

    /// <summary>The value and gradient of a scalar function at x, and v ↦ H·v: the derivative of the gradient, linearized once.</summary>
    public static GradientLinearization LinearizeGradient(Func<Tensor, Tensor> f, Tensor x)
    {
        var ((value, gradient), product) = FSharp.Linearized.gradient(f.ToFSharp(), x.NotNull());
        return new(value, gradient, product.Invoke);
    }

    /// <summary>The value of a scalar function at x, and v ↦ vᵀHv without the product H·v.</summary>
    public static QuadraticFormLinearization LinearizeQuadraticForm(Func<Tensor, Tensor> f, Tensor x)
    {
        var (value, form) = FSharp.Linearized.quadraticForm(f.ToFSharp(), x.NotNull());
        return new(value, form.Invoke);
    }

    /// <summary>f on every slice along the leading axis of a stack, as one computation on the whole stack. Results are stacked
    /// likewise.</summary>
    public static Tensor VectorMap(Func<Tensor, Tensor> f, Tensor stack) =>
        FSharp.Differentiation.vmap(f.ToFSharp(), stack.NotNull());
}
