namespace Curvature.FSharp

open System
open Curvature

/// f(A)v from a Krylov space with the basis V that begins at v: ‖v‖·V f(T)e₁, and its error. For every f the error is
/// exactly ‖v‖·β·g(A)w, where w is the vector that comes next, β its coupling, and g(λ) = Σ s₁ᵢ sₖᵢ f[λ, θᵢ] with the
/// Ritz values θ and the eigenvectors s of T: the residuals of all shifted systems, integrated (Frommer & Schweitzer
/// 2016, "Error bounds and estimates for Krylov subspace approximations of Stieltjes matrix functions", section 3;
/// Chen, Greenbaum, Musco & Musco 2022, "Error bounds for Lanczos-based matrix function approximation", section 2). For
/// functions that are integrals of (x + t)⁻¹, |g| is largest at the lower end of the spectrum, and for exp at the
/// upper: there it is a bound.
module internal LanczosFunction =

    let private refuse (f: SpectralFunction) (operator: LinearOperator) (need: string) (ritz: float) =
        Fail.operator (
            $"{f.Name}: a positive {need} operator is needed, and {operator.Name} has a Ritz value of "
            + $"{Numbers.show ritz}; see LinearOperator.shift"
        )

    /// A Ritz value as the function takes it: one that rounding made negative is 0. Raises OperatorException outside of
    /// the domain.
    let private admit (f: SpectralFunction) (operator: LinearOperator) rounding (ritz: float) =
        match f.Definition.Domain with
        | FunctionDomain.Positive when ritz <= 0.0 -> refuse f operator "definite" ritz
        | FunctionDomain.Nonnegative when ritz < -100.0 * rounding -> refuse f operator "semidefinite" ritz
        | FunctionDomain.Nonnegative -> max 0.0 ritz
        | _ -> ritz

    let private finite (f: SpectralFunction) x =
        let y = f.Evaluate x

        if Double.IsFinite y then
            y
        else
            Fail.nonFinite $"{f.Name}: the function is {Finite.name y} at the Ritz value {x:R}"

    /// Raises OperatorException where a Ritz value lies outside of the stated bounds by more than rounding.
    let private checkBounds (bounds: SpectrumBounds) (operator: LinearOperator) rounding (ritz: float[]) =
        let outside =
            ritz |> Array.tryFind (fun x -> x < bounds.Low - 100.0 * rounding || x > bounds.High + 100.0 * rounding)

        match outside with
        | Some value ->
            Fail.operator $"{operator.Name} has a Ritz value of {Numbers.show value}, and {bounds} were stated"
        | None -> ()

    /// f(T)e₁ for the leading rows and columns of the projection T.
    let private coefficients (f: float -> float) (ritz: SmallEigen) =
        let k = ritz.Values.Length
        let ofPairs = Array.init k (fun i -> f ritz.Values[i] * ritz.Vectors[0, i])
        Array.init k (fun row -> Seq.sum (Seq.init k (fun i -> ritz.Vectors[row, i] * ofPairs[i])))

    let private length (c: float[]) = sqrt (Array.sumBy (fun x -> x * x) c)

    /// β·|g(λ)|
    let private remainder (f: SpectralFunction) (space: KrylovSpace) (ritz: SmallEigen) (nodes: float[]) lambda =
        let last = space.Size - 1

        // √x has no derivative at 0; eigenvalues below rounding are a matter of its error.
        let apart node =
            if f.Definition.Domain = FunctionDomain.Nonnegative then max space.Rounding node else node

        let term i node =
            ritz.Vectors[0, i] * ritz.Vectors[last, i] * f.Definition.DividedDifference lambda (apart node)

        space.Coupling * abs (Seq.sum (Seq.mapi term nodes))

    /// How much a change of A as large as that of rounding may change f(A)v, for a v of length 1.
    let private roundingError (f: SpectralFunction) rounding (nodes: float[]) =
        let moved x =
            match f.Definition.Domain with
            | FunctionDomain.Nonnegative -> f.Evaluate(max 0.0 x)
            | FunctionDomain.Positive when x <= 0.0 -> infinity
            | _ -> f.Evaluate x

        let change x =
            let y = f.Evaluate x
            let largest = max (abs (moved (x + rounding) - y)) (abs (moved (x - rounding) - y))
            if Double.IsNaN largest then infinity else largest

        nodes |> Seq.map change |> Seq.max

    /// How far coefficients after fewer steps are from those after all, for what they show of the error that is left.
    let private trend (f: float -> float) (space: KrylovSpace) (whole: float[]) =
        let distance steps =
            let fewer = coefficients f (SmallEigen.ofLeading steps space.Projection)
            length (whole |> Array.mapi (fun i c -> if i < steps then c - fewer[i] else c))

        let farthest first last =
            QuadratureError.between (max 1 first) last |> List.map distance |> List.max

        QuadratureError.extrapolated (1e-15 * length whole) space.Size farthest

    /// The least that the lower end may be: what the caller or the operator states, or −∞.
    let private knownLow (options: MatrixFunctionOptions) (operator: LinearOperator) =
        if operator.IsPositiveSemidefinite then max 0.0 options.Bounds.Low else options.Bounds.Low

    /// What is left open for a v of length 1, without rounding, and whether it is a bound.
    let private openError options (f: SpectralFunction) (operator: LinearOperator) (space: KrylovSpace) ritz nodes whole =
        let at lambda = remainder f space ritz nodes lambda
        let last = space.Size - 1
        let residual i = abs (space.Coupling * ritz.Vectors[last, i])
        let value x = f.Evaluate(if f.Definition.Domain = FunctionDomain.Nonnegative then max 0.0 x else x)

        // A Ritz value may be far from the end of the spectrum, so that the trend counts too.
        let estimated lambda =
            let ofEnd = at lambda
            max (if Double.IsNaN ofEnd then infinity else ofEnd) (trend value space whole)

        let low, high = knownLow options operator, options.Bounds.High
        let isInDomain = Double.IsFinite low && (f.Definition.Domain = FunctionDomain.Real || low >= 0.0)

        match f.Definition.LargestRemainder with
        | _ when space.IsInvariant -> struct (0.0, true)
        | RemainderEnd.Lower when isInDomain && Double.IsFinite(at (min low nodes[0])) -> struct (at (min low nodes[0]), true)
        | RemainderEnd.Lower when f.Definition.Domain = FunctionDomain.Real ->
            struct (estimated (max low (nodes[0] - residual 0)), false)
        | RemainderEnd.Lower ->
            // Where the residual does not tell that the end is above 0, a part of the least Ritz value stands for it.
            struct (estimated (max low (max (nodes[0] - residual 0) (0.25 * nodes[0]))), false)
        | RemainderEnd.Upper when Double.IsFinite high -> struct (at (max high nodes[last]), true)
        | RemainderEnd.Upper -> struct (estimated (nodes[last] + residual last), false)
        | RemainderEnd.NotKnown -> struct (trend value space whole, false)

    /// What the space knows of f(A)v, for a v of some length.
    let ofSpace (options: MatrixFunctionOptions) f (operator: LinearOperator) (norm: float) (space: KrylovSpace) =
        let ritz, rounding = space.Ritz, space.Rounding
        checkBounds options.Bounds operator rounding ritz.Values
        let nodes = ritz.Values |> Array.map (admit f operator rounding)
        let values = nodes |> Array.map (finite f)
        let c = coefficients f.Evaluate { ritz with Values = nodes }
        let struct (left, isBound) = openError options f operator space ritz nodes c
        let unit = SmallMatrices.epsilon operator.DType
        let rounded = roundingError f rounding nodes + 4.0 * unit * (values |> Seq.map abs |> Seq.max)

        {
            Value = Vectors.combine (c |> Array.map (fun x -> norm * x)) space.Vectors
            Error = norm * (left + rounded)
            IsBound = isBound
            Length = norm * length c
            Matvecs = space.Size
        }
