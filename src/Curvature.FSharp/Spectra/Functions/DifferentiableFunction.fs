namespace Curvature.FSharp

open System
open Curvature

/// Functions of a symmetric operator A(θ) that can themselves be differentiated with respect to θ, so that a loss may
/// contain them: uᵀf(A)v, tr f(A) and ln det A. The operator is a function θ ↦ v ↦ A(θ)v of tensors. Lanczos runs once
/// for the value; the Ritz pairs that it finds are constants of the derivative, which multiplies A(θ) by a few vectors
/// of the Krylov space. First derivatives only: those of higher order take the Ritz pairs for constants too. Values
/// have no error bar; see StochasticLanczos and MatrixFunction.
[<RequireQualifiedAccess>]
module DifferentiableFunction =

    /// A(θ) for the value of θ, as an operator.
    let private operatorAt n (product: Tensor -> Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        let fixed' = Tensor.stopGradient theta

        LinearOperator.ofFunction theta.DType n n (product fixed')
        |> LinearOperator.onDevice theta.Device
        |> LinearOperator.claim OperatorProperties.Symmetric
        |> LinearOperator.named "A(θ)"

    let private checkTheta what (theta: Tensor) =
        if theta.DType = DType.Int32 then
            Fail.dtype $"{what}: the point is Int32; derivatives need Float32 or Float64"

    let private checkVector what (name: string) (theta: Tensor) (v: Tensor) =
        OperatorParts.requireVector what v

        if v.DType <> theta.DType then
            Fail.dtype $"{what}: {name} must be {theta.DType} as the point is, and it is {v.DType}"

        Finite.check $"{what}: {name}" v

    /// A number as a scalar beside θ.
    let private scalar (theta: Tensor) (value: float) = Tensor.scalar theta.DType value |> Tensor.toDevice theta.Device

    /// A value to which the derivative of a form is given.
    let private withDerivativeOf (form: Tensor) (value: Tensor) = value + (form - Tensor.stopGradient form)

    /// Σᵢ ⟨pᵢ, A(θ)yᵢ⟩ for the rows of two blocks.
    let private form (product: Tensor -> Tensor) (p: Tensor) (y: Tensor) = Tensor.sum (p * vmap product y)

    /// The Krylov spaces of some vectors, of any length above 0.
    let private spacesOf (what: string) (options: QuadratureOptions) (a: LinearOperator) (starts: Tensor[]) =
        let spaces = starts |> Array.map (fun v -> Krylov.from v (min options.Steps a.Columns) a)
        let name i = $"a Lanczos vector of {what}, vector {i}"
        Krylov.advance a name options.Steps spaces (fun () -> true) |> ignore
        spaces |> Array.iter _.CheckSymmetry()
        spaces

    let private nodesOf (f: SpectralFunction) (a: LinearOperator) (space: KrylovSpace) (ritz: SmallEigen) =
        ritz.Values |> Array.map (LanczosFunction.admit f a space.Rounding)

    let private finite what (f: SpectralFunction) x (y: float) =
        if Double.IsFinite y then
            y
        else
            Fail.nonFinite $"{what}: {f.Name} or its derivative is {Finite.name y} at the Ritz value {x:R}"

    /// vᵀf(A)v, and the vectors p and y of its derivative Σ ⟨pᵢ, dA yᵢ⟩, with y the Ritz vectors and
    /// pᵢ = ‖v‖² Σⱼ s₁ᵢ s₁ⱼ f[θᵢ, θⱼ] yⱼ (Daleckii & Krein 1965, in the Krylov space).
    let private quadratic
        what
        f
        (a: LinearOperator)
        (v: Tensor)
        (space: KrylovSpace)
        : struct (float * Tensor * Tensor) =
        let ritz = space.Ritz
        let nodes, first = nodesOf f a space ritz, Array.init space.Size (fun i -> ritz.Vectors[0, i])
        let square = Vectors.dot v v
        let divided = (f: SpectralFunction).Definition.DividedDifference

        let value = Seq.sum (Seq.mapi (fun i x -> first[i] * first[i] * finite what f x (f.Evaluate x)) nodes)

        let weight i j = square * first[i] * first[j] * finite what f nodes[i] (divided nodes[i] nodes[j])

        let ofRitz = Array2D.init space.Size space.Size (fun i j -> ritz.Vectors[j, i])
        let y = Vectors.combinations ofRitz space.Vectors
        struct (square * value, Vectors.combinations (Array2D.init space.Size space.Size weight) y, y)

    /// The form of two vectors from those of their sum and difference.
    let private polarized what options f (a: LinearOperator) (u: Tensor) (v: Tensor) =
        [ 0.25, u + v; -0.25, u - v ]
        |> List.filter (fun (_, start) -> Vectors.norm start > 0.0)
        |> List.map (fun (weight, start) ->
            let space = Array.exactlyOne (spacesOf what options a [| start |])
            let struct (value, p, y) = quadratic what f a start space
            weight, value, p, y)

    /// uᵀf(A(θ))v as a scalar, for vectors u and v [n] that do not depend on θ: from the forms of u + v and u − v, each
    /// by Lanczos (Golub & Meurant 2010, section 7.3); one form where u is v. Its derivative is Σ ⟨pᵢ, dA yᵢ⟩ over the
    /// Ritz vectors yᵢ, by the divided differences of f: exact where the Krylov space is invariant.
    /// Raises OperatorException where the operator turns out not to be symmetric, or has a Ritz value at which the
    /// function is not defined; ShapeException and DTypeException for vectors that do not fit; NonFiniteException where
    /// the function or its derivative is not finite.
    let quadraticForm
        (options: QuadratureOptions)
        (f: SpectralFunction)
        (u: Tensor)
        (v: Tensor)
        (product: Tensor -> Tensor -> Tensor)
        (theta: Tensor)
        : Tensor =
        let what = "DifferentiableFunction.quadraticForm"
        checkTheta what theta
        checkVector what "u" theta u
        checkVector what "v" theta v

        if u.Signature <> v.Signature then
            Fail.shape $"{what}: u and v must have one length, and they have {u.Size} and {v.Size}"

        let a = operatorAt v.Size product theta

        polarized what options f a u v
        |> List.map (fun (weight, value, p, y) ->
            let form = weight * form (product theta) p y
            scalar theta (weight * value) |> withDerivativeOf form)
        |> List.fold (+) (scalar theta 0.0)

    /// `samples` sign vectors of length n.
    let private draw what (options: QuadratureOptions) n (theta: Tensor) =
        Krylov.checkPositive what "the number of rows" n
        let vectors = Probe.drawOn theta.Device Probe.rademacher options.Key n (0, options.Samples) theta.DType
        Array.init options.Samples (fun i -> Tensor.item 0 i vectors)

    /// The mean of zᵀf(A)z over sign vectors z, with its own derivative.
    let private meanOfForms what options (f: SpectralFunction) product (theta: Tensor) a (starts: Tensor[]) =
        Array.map2 (quadratic what f a) starts (spacesOf what options a starts)
        |> Array.map (fun struct (value, p, y) -> scalar theta value |> withDerivativeOf (form (product theta) p y))
        |> Array.reduce (+)
        |> fun sum -> sum * (1.0 / float options.Samples)

    /// The mean of zᵀf(A)z over sign vectors z, with the derivative mean of ⟨g(A)z, dA z⟩ for g = f′.
    let private meanWithUnbiasedDerivative what options (f: SpectralFunction) product (theta: Tensor) a starts =
        let spaces = spacesOf what options a starts

        let parts =
            Array.map2
                (fun (start: Tensor) (space: KrylovSpace) ->
                    let ritz, norm = space.Ritz, Vectors.norm start
                    let nodes = nodesOf f a space ritz
                    let first i = ritz.Vectors[0, i]
                    let values = nodes |> Array.map (fun x -> finite what f x (f.Evaluate x))
                    let slopes = nodes |> Array.map (fun x -> finite what f x (f.Derivative x))
                    let value = norm * norm * Seq.sum (Seq.mapi (fun i y -> first i * first i * y) values)

                    let c =
                        Array.init space.Size (fun row ->
                            norm * Seq.sum (Seq.mapi (fun i y -> ritz.Vectors[row, i] * first i * y) slopes))

                    struct (value, Vectors.combine c space.Vectors))
                starts
                spaces

        let stack = List.ofArray >> Tensor.stack 0
        let p = parts |> Array.map (fun struct (_, p) -> p) |> stack
        let mean = parts |> Array.averageBy (fun struct (value, _) -> value)
        let form = form (product theta) p (stack starts) * (1.0 / float options.Samples)
        scalar theta mean |> withDerivativeOf form

    let private meanForm what (options: QuadratureOptions) (f: SpectralFunction) n product (theta: Tensor) =
        checkTheta what theta
        let starts = draw what options n theta
        let a = operatorAt n product theta

        if options.DifferentiatesValue then
            meanOfForms what options f product theta a starts
        else
            meanWithUnbiasedDerivative what options f product theta a starts

    /// tr f(A(θ)) for an operator on vectors [n], as a scalar: the mean of zᵀf(A)z over sign vectors z by Lanczos
    /// (Ubaru, Chen & Saad 2017). Its derivative is the mean of ⟨f′(A)z, dA z⟩, which is unbiased for tr f′(A)dA where
    /// the Krylov spaces resolve f′, and costs one product with A(θ) for each vector; for a fixed key it is not that of
    /// the value, which QuadratureOptions.WithDifferentiatedValue asks for. The function needs a derivative: see
    /// SpectralFunction.withDerivative.
    /// Raises ArgumentRangeException for an operator without rows, and else as `quadraticForm`.
    let trace
        (options: QuadratureOptions)
        (f: SpectralFunction)
        (n: int)
        (product: Tensor -> Tensor -> Tensor)
        (theta: Tensor)
        : Tensor =
        meanForm "DifferentiableFunction.trace" options f n product theta

    /// ln det A(θ) for a positive definite operator on vectors [n], as a scalar: the mean of zᵀln(A)z over sign vectors
    /// z by Lanczos. Its derivative is the mean of ⟨A⁻¹z, dA z⟩ with the solution from the same Krylov space, unbiased
    /// for tr A⁻¹dA where that space solves the systems (Gardner, Pleiss, Bindel, Weinberger & Wilson 2018,
    /// "GPyTorch"). Raises OperatorException where a Ritz value is not positive, and else as `trace`.
    let logDeterminant
        (options: QuadratureOptions)
        (n: int)
        (product: Tensor -> Tensor -> Tensor)
        (theta: Tensor)
        : Tensor =
        meanForm "DifferentiableFunction.logDeterminant" options SpectralFunction.log n product theta
