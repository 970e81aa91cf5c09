namespace Curvature

open System.Diagnostics

/// Where a function of eigenvalues is defined.
[<RequireQualifiedAccess; NoComparison>]
type internal FunctionDomain =
    | Real
    /// x ≥ 0
    | Nonnegative
    /// x > 0
    | Positive

/// What is known of g(λ) = Σ sᵢ f[λ, θᵢ], the factor of the error of Lanczos: at which end of the spectrum it is
/// largest.
[<RequireQualifiedAccess; NoComparison>]
type internal RemainderEnd =
    | Lower
    | Upper
    | NotKnown

/// What a function of eigenvalues is made of.
[<NoEquality; NoComparison>]
type internal SpectralFunctionDefinition =
    {
        Name: string
        Value: float -> float
        Derivative: float -> float
        /// f[x, y] = (f(x) − f(y))/(x − y), and f′(x) for x = y, without loss of digits where they are near.
        DividedDifference: float -> float -> float
        Domain: FunctionDomain
        LargestRemainder: RemainderEnd
        /// Whether no value is negative, so that f(A) is positive semidefinite.
        IsNonnegative: bool
    }

/// A function of eigenvalues, and with it of symmetric operators: f(A) has the eigenvectors of A and the eigenvalues
/// f(λ). Made by the module SpectralFunction.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectralFunction internal (definition: SpectralFunctionDefinition) =
    /// What the function is called in messages and names of operators.
    member _.Name = definition.Name

    /// f(x); NaN or infinite outside of its domain.
    member _.Evaluate(x: float) : float = definition.Value x

    /// f′(x), by which gradients of traces are taken.
    member _.Derivative(x: float) : float = definition.Derivative x

    member internal _.Definition = definition

    override _.ToString() = definition.Name

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Functions of eigenvalues: named ones, for which errors of f(A)v have bounds, and any other.
[<RequireQualifiedAccess>]
module SpectralFunction =

    let private define (definition: SpectralFunctionDefinition) = SpectralFunction definition

    /// The difference quotient, and the derivative in the middle where the points are too near for one.
    let private quotient (f: float -> float) (derivative: float -> float) x y =
        let near = 1e-6 * max (abs x) (abs y)

        if abs (x - y) <= near then
            derivative (0.5 * (x + y))
        else
            (f x - f y) / (x - y)

    /// A step at which truncation and rounding of a central difference balance.
    let private centralDifference (f: float -> float) (x: float) =
        let step = 6e-6 * max 1e-3 (abs x)
        (f (x + step) - f (x - step)) / (2.0 * step)

    /// Any function f of real numbers, under a name for messages. Errors of f(A)v are then estimates, for which the
    /// last quarter of the Lanczos steps is compared with the one before. Its derivative is a central difference; see
    /// `withDerivative`.
    let ofFunction (name: string) (f: float -> float) : SpectralFunction =
        ArgumentNullException.ThrowIfNull(name, nameof name)
        let derivative = centralDifference f

        define
            {
                Name = name
                Value = f
                Derivative = derivative
                DividedDifference = quotient f derivative
                Domain = FunctionDomain.Real
                LargestRemainder = RemainderEnd.NotKnown
                IsNonnegative = false
            }

    /// The same function with its derivative, where a central difference is not exact enough.
    let withDerivative (derivative: float -> float) (f: SpectralFunction) : SpectralFunction =
        define
            { f.Definition with
                Derivative = derivative
                DividedDifference = quotient f.Definition.Value derivative
            }

    /// eᵗˣ. Raises ArgumentRangeException for a time t that is 0 or not finite.
    let expOf (time: float) : SpectralFunction =
        if time = 0.0 || not (Double.IsFinite time) then
            Fail.range $"SpectralFunction.expOf: a time that is finite and not 0 is needed, and it is {time}"

        // (eᵃ − eᵇ)/(a − b) = e^((a+b)/2)·sinh(d)/d for d = (a − b)/2.
        let divided x y =
            let half = 0.5 * time * (x - y)
            let ratio = if half = 0.0 then 1.0 else sinh half / half
            time * exp (0.5 * time * (x + y)) * ratio

        define
            {
                Name = if time = 1.0 then "exp" else $"exp({Numbers.show time} x)"
                Value = fun x -> exp (time * x)
                Derivative = fun x -> time * exp (time * x)
                DividedDifference = divided
                Domain = FunctionDomain.Real
                LargestRemainder = if time > 0.0 then RemainderEnd.Upper else RemainderEnd.Lower
                IsNonnegative = true
            }

    /// eˣ
    let exp: SpectralFunction = expOf 1.0

    /// ln x, for positive definite operators.
    let log: SpectralFunction =
        // ln(x/y)/(x − y) from ln(1 + r)/r with the rounded 1 + r in both places.
        let divided x y =
            let ratio = x / y
            let rest = ratio - 1.0

            if x = 0.0 then infinity
            elif rest = 0.0 then 1.0 / y
            else Math.Log ratio / rest / y

        define
            {
                Name = "log"
                Value = Math.Log
                Derivative = fun x -> 1.0 / x
                DividedDifference = divided
                Domain = FunctionDomain.Positive
                LargestRemainder = RemainderEnd.Lower
                IsNonnegative = false
            }

    /// √x, for positive semidefinite operators.
    let sqrt: SpectralFunction =
        define
            {
                Name = "sqrt"
                Value = Math.Sqrt
                Derivative = fun x -> 0.5 / Math.Sqrt x
                DividedDifference = fun x y -> 1.0 / (Math.Sqrt x + Math.Sqrt y)
                Domain = FunctionDomain.Nonnegative
                LargestRemainder = RemainderEnd.Lower
                IsNonnegative = true
            }

    /// 1/√x, for positive definite operators.
    let inverseSqrt: SpectralFunction =
        define
            {
                Name = "inverse sqrt"
                Value = fun x -> 1.0 / Math.Sqrt x
                Derivative = fun x -> -0.5 / (x * Math.Sqrt x)
                DividedDifference =
                    fun x y ->
                        let a, b = Math.Sqrt x, Math.Sqrt y
                        -1.0 / (a * b * (a + b))
                Domain = FunctionDomain.Positive
                LargestRemainder = RemainderEnd.Lower
                IsNonnegative = true
            }

    /// 1/x, for positive definite operators; solvers such as Minres take others too.
    let inverse: SpectralFunction =
        define
            {
                Name = "inverse"
                Value = fun x -> 1.0 / x
                Derivative = fun x -> -1.0 / (x * x)
                DividedDifference = fun x y -> -1.0 / (x * y)
                Domain = FunctionDomain.Positive
                LargestRemainder = RemainderEnd.Lower
                IsNonnegative = true
            }

    /// −1, 0 or 1. Errors are estimates: the function jumps, and how near to 0 an eigenvalue lies is not known.
    let sign: SpectralFunction =
        let sign x = float (Math.Sign(x: float))

        define
            {
                Name = "sign"
                Value = sign
                Derivative = fun _ -> 0.0
                DividedDifference = quotient sign (fun _ -> 0.0)
                Domain = FunctionDomain.Real
                LargestRemainder = RemainderEnd.NotKnown
                IsNonnegative = false
            }
