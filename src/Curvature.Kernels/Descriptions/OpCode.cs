namespace Curvature.Kernels;

/// <summary>One elementwise operation on a tape. Masks are numbers: 1 for true, 0 for false.</summary>
public enum OpCode
{
    /// <summary>a + b</summary>
    Add,

    /// <summary>a − b</summary>
    Subtract,

    /// <summary>a·b</summary>
    Multiply,

    /// <summary>a / b</summary>
    Divide,

    /// <summary>a·b + c</summary>
    MultiplyAdd,

    /// <summary>max(a, b)</summary>
    Maximum,

    /// <summary>min(a, b)</summary>
    Minimum,

    /// <summary>1 where a &gt; b, else 0</summary>
    Greater,

    /// <summary>1 where a ≥ b, else 0</summary>
    GreaterOrEqual,

    /// <summary>1 where a = b, else 0</summary>
    Equal,

    /// <summary>b where a ≠ 0, else c</summary>
    Select,

    /// <summary>a raised to the power b</summary>
    Power,

    /// <summary>angle of the point (b, a), from −π to π: the arc tangent of a/b in b's half-plane</summary>
    Atan2,

    /// <summary>−a</summary>
    Negate,

    /// <summary>|a|</summary>
    Abs,

    /// <summary>−1, 0 or 1</summary>
    Sign,

    /// <summary>largest integer ≤ a</summary>
    Floor,

    /// <summary>√a</summary>
    Sqrt,

    /// <summary>1/√a</summary>
    ReciprocalSqrt,

    /// <summary>eᵃ</summary>
    Exp,

    /// <summary>eᵃ − 1</summary>
    Expm1,

    /// <summary>natural logarithm</summary>
    Log,

    /// <summary>ln(1 + a)</summary>
    Log1p,

    /// <summary>sine, radians</summary>
    Sin,

    /// <summary>cosine, radians</summary>
    Cos,

    /// <summary>hyperbolic tangent</summary>
    Tanh,

    /// <summary>1/(1 + e⁻ᵃ)</summary>
    Sigmoid,

    /// <summary>ln(1 + eᵃ), without overflow</summary>
    Softplus,

    /// <summary>error function</summary>
    Erf,

    /// <summary>inverse of the error function, on (−1, 1)</summary>
    ErfInverse,
}
