namespace Curvature.Tests.Unit

open System
open Curvature
open Curvature.FSharp

/// Derivatives of every order that can be written down: references for Taylor mode, from formulas that share nothing
/// with its recurrences.
[<RequireQualifiedAccess>]
module internal KnownSeries =

    /// A function of a number, where it is tried, and its derivative of order k ≥ 1.
    [<NoEquality; NoComparison>]
    type Function =
        {
            Name: string
            Apply: Tensor -> Tensor
            Points: float list
            /// The interval on which values may be put into it.
            Domain: float * float
            Derivative: int -> float -> float
        }

    let factorial (k: int) = Seq.fold (fun product i -> product * float i) 1.0 (seq { 2..k })

    /// a(a − 1)…(a − k + 1)
    let private falling (a: float) (k: int) =
        Seq.fold (fun product i -> product * (a - float i)) 1.0 (seq { 0 .. k - 1 })

    let private derivativeOf (p: float[]) =
        Array.init (max 1 (p.Length - 1)) (fun i -> if p.Length = 1 then 0.0 else float (i + 1) * p[i + 1])

    let private times (p: float[]) (q: float[]) =
        Array.init (p.Length + q.Length - 1) (fun k ->
            Seq.sum (
                seq {
                    for i in 0..k do
                        if i < p.Length && k - i < q.Length then p[i] * q[k - i]
                }
            ))

    let private plus (p: float[]) (q: float[]) =
        let at (p: float[]) i = if i < p.Length then p[i] else 0.0
        Array.init (max p.Length q.Length) (fun i -> at p i + at q i)

    let private evaluate (p: float[]) (x: float) = Array.foldBack (fun c sum -> c + x * sum) p 0.0

    /// The polynomials with P₁ = first and P_{k+1} = P_k′·slope: derivatives of a function with y′ = slope(y), in y.
    let private inResult (slope: float[]) (k: int) =
        Seq.fold (fun p _ -> times (derivativeOf p) slope) slope (seq { 2..k })

    /// e^{ky²}P_{k−1}(y)cᵏ: derivatives of the inverse error function.
    let private inverseErf (k: int) (y: float) =
        let c = sqrt Math.PI / 2.0
        let step (p: float[]) n = plus (derivativeOf p) (times [| 0.0; 2.0 * float (n + 1) |] p)
        let p = Seq.fold step [| 1.0 |] (seq { 0 .. k - 2 })
        Math.Pow(c * exp (y * y), float k) * evaluate p y

    /// Physicists' Hermite polynomials.
    let rec private hermite (n: int) (x: float) =
        match n with
        | 0 -> 1.0
        | 1 -> 2.0 * x
        | _ -> 2.0 * x * hermite (n - 1) x - 2.0 * float (n - 1) * hermite (n - 2) x

    let private wide = -0.9, 1.1
    let private positive = 0.3, 3.0
    let private everywhere = [ -0.8; -0.1; 0.0; 0.4; 1.0 ]
    let private above0 = [ 0.5; 1.0; 1.7 ]
    let private sigmoid x = 1.0 / (1.0 + exp -x)

    let private atan k x =
        let phi = Math.Atan x in factorial (k - 1) * Math.Pow(cos phi, float k) * sin (float k * (phi + Math.PI / 2.0))

    let private make name apply points domain derivative =
        {
            Name = name
            Apply = apply
            Points = points
            Domain = domain
            Derivative = derivative
        }

    let private logarithm k x = -factorial(k - 1) * Math.Pow(-1.0 / x, float k)

    let private power a k x =
        match falling a k with
        | 0.0 -> 0.0
        | factor -> factor * Math.Pow(x, a - float k)

    let private number (value: float) (like: Tensor) = Tensor.fullLike like value
    let private ofSigmoid k x = evaluate (inResult [| 0.0; 1.0; -1.0 |] k) (sigmoid x)

    let private erf k x = Math.Pow(-1.0, float (k - 1)) * 2.0 / sqrt Math.PI * hermite (k - 1) x * exp (-x * x)

    /// The elementwise functions that are not constant by pieces.
    let functions: Function list =
        [
            make "exp" exp everywhere wide (fun _ x -> exp x)
            make "expm1" Tensor.expm1 everywhere wide (fun _ x -> exp x)
            make "log" log above0 positive logarithm
            make "log1p" Tensor.log1p [ -0.4; 0.0; 0.9 ] (-0.5, 2.0) (fun k x -> logarithm k (1.0 + x))
            make "sin" sin everywhere wide (fun k x -> sin (x + float k * Math.PI / 2.0))
            make "cos" cos everywhere wide (fun k x -> cos (x + float k * Math.PI / 2.0))
            make "tanh" tanh everywhere wide (fun k x -> evaluate (inResult [| 1.0; 0.0; -1.0 |] k) (tanh x))
            make "sigmoid" Tensor.sigmoid everywhere wide ofSigmoid
            make "softplus" Tensor.softplus everywhere wide (fun k x ->
                if k = 1 then sigmoid x else ofSigmoid (k - 1) x)
            make "sqrt" sqrt above0 positive (power 0.5)
            make "rsqrt" Tensor.rsqrt above0 positive (power -0.5)
            make "erf" Tensor.erf everywhere wide erf
            make "erfInverse" Tensor.erfInverse [ -0.6; 0.0; 0.3 ] (-0.7, 0.7) (fun k x ->
                let y = (Tensor.erfInverse (Tensor.scalar DType.Float64 x)).ToScalar() in inverseErf k y)
            make "1/x" (fun x -> 1.0 / x) above0 positive (power -1.0)
            make "x^2.5" (fun x -> x ** 2.5) above0 positive (power 2.5)
            make "x^-1.5" (fun x -> x ** -1.5) above0 positive (power -1.5)
            make "x³" (fun x -> x ** 3.0) everywhere wide (power 3.0)
            make "1.7^x" (fun x -> Tensor.Pow(number 1.7 x, x)) everywhere wide (fun k x ->
                Math.Pow(1.7, x) * Math.Pow(log 1.7, float k))
            make "atan2(x, 1)" (fun x -> Tensor.atan2 x (number 1.0 x)) everywhere wide atan
            make "atan2(1, x)" (fun x -> Tensor.atan2 (number 1.0 x) x) everywhere wide (fun k x -> -(atan k x))
            make "−x" (fun x -> -x) everywhere wide (fun k _ -> if k = 1 then -1.0 else 0.0)
            make "2x − 3" (fun x -> 2.0 * x - 3.0) everywhere wide (fun k _ -> if k = 1 then 2.0 else 0.0)
        ]

    /// The coefficients c₀ … c_K of f about x.
    let coefficients (order: int) (f: Function) (x: float) : float[] =
        let value = (f.Apply(Tensor.scalar DType.Float64 x)).ToScalar()
        Array.init (order + 1) (fun k -> if k = 0 then value else f.Derivative k x / factorial k)

    /// The series of outer(inner(t)), where that of the outer one is about inner(0).
    let compose (outer: float[]) (inner: float[]) : float[] =
        let order = outer.Length - 1
        let moving = Array.mapi (fun k c -> if k = 0 then 0.0 else c) inner
        let multiply p q = Array.truncate (order + 1) (times p q)
        Array.foldBack (fun c sum -> plus [| c |] (multiply moving sum)) outer (Array.zeroCreate (order + 1))
