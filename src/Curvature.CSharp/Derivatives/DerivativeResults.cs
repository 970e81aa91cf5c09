using System.Diagnostics;
using System.Text;

namespace Curvature.CSharp;

/// <summary>A function's value at a point and its derivative there.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Derivative">f′(x), or the derivative along the direction that was given.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndDerivative(Tensor Value, Tensor Derivative);

/// <summary>A function's value at a point and its derivatives along a curve there.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Derivatives">The derivatives of order 1, 2, … in the parameter of the curve, each in the shape of
/// f(x).</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndDerivatives(Tensor Value, IReadOnlyList<Tensor> Derivatives)
{
    // A list prints as its type.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Value = ").Append(Value);
        builder.Append(", Derivatives = [").AppendJoin(", ", Derivatives).Append(']');
        return true;
    }
}

/// <summary>A scalar function's value at a point and its gradient there.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Gradient">∇f(x), in the shape of x.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndGradient(Tensor Value, Tensor Gradient);

/// <summary>A function's value at a point and its Jacobian there.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Jacobian">J, of shape [axes of f(x), axes of x].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndJacobian(Tensor Value, Tensor Jacobian);

/// <summary>A function's value at a point and the product of its Jacobian, or of the Jacobian's transpose, with a
/// vector.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Product">J·v in the shape of f(x), or Jᵀ·u in the shape of x.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndProduct(Tensor Value, Tensor Product);

/// <summary>A scalar function's value, gradient and Hessian at a point.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Gradient">∇f(x), in the shape of x.</param>
/// <param name="Hessian">H, of shape [axes of x, axes of x].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueGradientAndHessian(Tensor Value, Tensor Gradient, Tensor Hessian);

/// <summary>A scalar function's value at a point, and its first and second derivative along a direction v.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="DirectionalDerivative">∇f(x)·v, a scalar.</param>
/// <param name="Product">H·v, in the shape of x.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndHessianVectorProduct(Tensor Value, Tensor DirectionalDerivative, Tensor Product);

/// <summary>A scalar function's value at a point and its second derivative along a direction v.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Form">vᵀHv, a scalar.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndQuadraticForm(Tensor Value, Tensor Form);

/// <summary>A function's value at a point and its Laplacian there.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Laplacian">Σ ∂²f/∂xᵢ², a scalar.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndLaplacian(Tensor Value, Tensor Laplacian);

/// <summary>A vector field's value at a point and its divergence there.</summary>
/// <param name="Value">f(x), in the shape of x.</param>
/// <param name="Divergence">Σ ∂fᵢ/∂xᵢ, a scalar; at the points of a stack, one number for each.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndDivergence(Tensor Value, Tensor Divergence);

/// <summary>A vector field's value at a point in three dimensions and its curl there.</summary>
/// <param name="Value">f(x), of shape [3].</param>
/// <param name="Curl">∇×f, of shape [3].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueAndCurl(Tensor Value, Tensor Curl);

/// <summary>A vector field's value, curl and divergence at a point in three dimensions.</summary>
/// <param name="Value">f(x), of shape [3].</param>
/// <param name="Curl">∇×f, of shape [3].</param>
/// <param name="Divergence">∇·f, a scalar.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ValueCurlAndDivergence(Tensor Value, Tensor Curl, Tensor Divergence);

/// <summary>A function's value at a point and its derivative there as a linear map, applied any number of times without
/// running the function again.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Derivative">v ↦ J·v; its <see cref="LinearProgram.Transpose"/> is u ↦ Jᵀ·u.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record Linearization(Tensor Value, LinearProgram Derivative);

/// <summary>A function's value at a point and the map that takes cotangents of the value back to the point.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Apply">u ↦ Jᵀ·u.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record Pullback(Tensor Value, Func<Tensor, Tensor> Apply)
{
    // A function has nothing to print.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Value = ").Append(Value);
        return true;
    }
}

/// <summary>A scalar function's value and gradient at a point, and the map that multiplies by its Hessian
/// there.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Gradient">∇f(x), in the shape of x.</param>
/// <param name="HessianVectorProduct">v ↦ H·v.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record GradientLinearization(Tensor Value, Tensor Gradient, Func<Tensor, Tensor> HessianVectorProduct)
{
    // A function has nothing to print.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Value = ").Append(Value).Append(", ").Append("Gradient = ").Append(Gradient);
        return true;
    }
}

/// <summary>A scalar function's value at a point, and its second derivative there as a function of the
/// direction.</summary>
/// <param name="Value">f(x), a scalar.</param>
/// <param name="Form">v ↦ vᵀHv, without the product H·v.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record QuadraticFormLinearization(Tensor Value, Func<Tensor, Tensor> Form)
{
    // A function has nothing to print.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Value = ").Append(Value);
        return true;
    }
}
