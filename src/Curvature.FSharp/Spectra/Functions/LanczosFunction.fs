namespace Curvature.FSharp

open System
open Curvature

/// f(A)v from a Krylov space with the basis V that begins at v: ‖v‖·V f(T)e₁, and its error. For every f the error is
/// exactly ‖v‖·β·g(A)w, where w is the vector that comes next, β its coupling, and g(λ) = Σ s₁ᵢ sₖᵢ f[λ, θᵢ] with the
/// Ritz values θ and the eigenvectors s of T: the residuals of all shifted systems, integrated (Frommer & Schweitzer
/// 2016, "Error bounds and estimates for Krylov subspace approximations of Stieltjes matrix functions";
/// Chen, Greenbaum, Musco & Musco 2022, "Error bounds for Lanczos-based matrix function approximation"). For
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
    let admit (f: SpectralFunction) (operator: LinearOperator) rounding (ritz: float) =
        match f.Definition.Domain with
        | FunctionDomain.Positive when ritz <= 0.0 -> refuse f operator "definite" ritz
        | FunctionDomain.Nonnegative when ritz < -100.0 * rounding -> refuse f operator "semidefinite" ritz
        | FunctionDomain.Nonnegative -> max 0.0 ritz
        | _ -> ritz

    /// f(x). Raises NonFiniteException where it is not a number.
    let finite (f: SpectralFunction) x =
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

    /// What the space shows: Ritz pairs, their values as the function takes them, and f(T)e₁.
    [<NoEquality; NoComparison>]
    type private Reached =
        {
            Function: SpectralFunction
            Space: KrylovSpace
            Ritz: SmallEigen
            Nodes: float[]
            Coefficients: float[]
        }

    let private isNonnegative (f: SpectralFunction) = (f.Definition.Domain = FunctionDomain.Nonnegative)

    /// β·|g(λ)|
    let private remainder (reached: Reached) lambda =
        let f, space, ritz = reached.Function, reached.Space, reached.Ritz
        let last = space.Size - 1

        // √x has no derivative at 0; eigenvalues below rounding are a matter of its error.
        let apart node = if isNonnegative f then max space.Rounding node else node

        let term i node =
            ritz.Vectors[0, i] * ritz.Vectors[last, i] * f.Definition.DividedDifference lambda (apart node)

        space.Coupling * abs (Seq.sum (Seq.mapi term reached.Nodes))

    /// How much a change of A as large as that of rounding may change f(A)v, for a v of length 1.
    let roundingError (f: SpectralFunction) rounding (nodes: float[]) =
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
    let private trend (reached: Reached) =
        let f, space, whole = reached.Function, reached.Space, reached.Coefficients
        let value x = f.Evaluate(if isNonnegative f then max 0.0 x else x)

        let distance steps =
            let fewer = coefficients value (SmallEigen.ofLeading steps space.Projection)
            length (whole |> Array.mapi (fun i c -> if i < steps then c - fewer[i] else c))

        let farthest first last = QuadratureError.between first last |> List.map distance |> List.max
        QuadratureError.extrapolated (1e-15 * length whole) space.Size farthest

    /// What is left open for a v of length 1, without rounding, and whether it is a bound, where no eigenvalue is below
    /// `low` or above `high`.
    let private openError low high (reached: Reached) : struct (float * bool) =
        let domain, nodes = reached.Function.Definition.Domain, reached.Nodes
        let at lambda = remainder reached lambda
        let last = nodes.Length - 1
        let residual i = abs (reached.Space.Coupling * reached.Ritz.Vectors[last, i])
        let isKnownLow = Double.IsFinite low && (domain = FunctionDomain.Real || low >= 0.0)

        // A Ritz value may be far from the end of the spectrum, so that the trend counts too.
        let estimated lambda =
            let ofEnd = at lambda
            struct (max (if Double.IsNaN ofEnd then infinity else ofEnd) (trend reached), false)

        match reached.Function.Definition.LargestRemainder with
        | _ when reached.Space.IsInvariant -> struct (0.0, true)
        | RemainderEnd.Lower when isKnownLow && Double.IsFinite(at (min low nodes[0])) ->
            struct (at (min low nodes[0]), true)
        | RemainderEnd.Lower when domain = FunctionDomain.Real -> estimated (max low (nodes[0] - residual 0))
        | RemainderEnd.Lower ->
            // Where the residual does not tell that the end is above 0, a part of the least Ritz value stands for it.
            estimated (max low (max (nodes[0] - residual 0) (0.25 * nodes[0])))
        | RemainderEnd.Upper when Double.IsFinite high -> struct (at (max high nodes[last]), true)
        | RemainderEnd.Upper -> estimated (nodes[last] + residual last)
        | RemainderEnd.NotKnown -> struct (trend reached, false)

    /// What the space knows of f(A)v, for a v of some length.
    let ofSpace (options: MatrixFunctionOptions) f (operator: LinearOperator) (norm: float) (space: KrylovSpace) =
        let ritz, rounding = space.Ritz, space.Rounding
        checkBounds options.Bounds operator rounding ritz.Values
        let nodes = ritz.Values |> Array.map (admit f operator rounding)
        let values = nodes |> Array.map (finite f)
        let c = coefficients f.Evaluate { ritz with Values = nodes }

        let reached = { Function = f; Space = space; Ritz = ritz; Nodes = nodes; Coefficients = c }

        let low =
            if operator.IsPositiveSemidefinite then
                max 0.0 options.Bounds.Low
            else
                options.Bounds.Low

        let struct (left, isBound) = openError low options.Bounds.High reached
        // Of the combination of basis vectors, and of f(T).
        let unit = (8.0 + 2.0 * float space.Size) * SmallMatrices.epsilon operator.DType
        let rounded = roundingError f rounding nodes + unit * (values |> Seq.map abs |> Seq.max)

        {
            Value = Vectors.combine (c |> Array.map (fun x -> norm * x)) space.Vectors
            Error = norm * (left + rounded)
            IsBound = isBound
            Length = norm * length c
            Matvecs = space.Size
        }
