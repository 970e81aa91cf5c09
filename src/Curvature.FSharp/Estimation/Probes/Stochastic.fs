namespace Curvature.FSharp

open Curvature

/// Estimates of traces and diagonals from random vectors that can themselves be differentiated: with the vectors held
/// fixed by their key, each is a function like any other, so that a loss may contain it and `grad` of that loss be
/// taken. The value is a tensor without an error bar; for those see Hutchinson.
[<RequireQualifiedAccess>]
module Stochastic =

    /// `samples` random vectors in the shape of x, stacked, of its element type and on its device.
    let private draw name probe (samples: int) key (x: Tensor) : Tensor =
        if samples < 1 then
            Fail.range $"Stochastic.{name}: one random vector at least is needed, and {samples} were asked for"

        if x.DType = DType.Int32 then
            Fail.dtype $"Stochastic.{name}: the point is Int32; derivatives need Float32 or Float64"

        Probe.drawOn x.Device probe key x.Size (0, samples) x.DType
        |> Tensor.reshape (samples :: List.ofArray x.Shape)

    let private overSamples (samples: int) (sum: Tensor) = sum * (1.0 / float samples)

    /// The mean of f(z) over random vectors z, all as one computation.
    let private meanOver name probe samples key x (f: Tensor -> Tensor) : Tensor =
        draw name probe samples key x |> vmap f |> Tensor.sumAxes [ 0 ] |> overSamples samples

    /// trace with another probe.
    let traceWith probe samples key (x: Tensor) (product: Tensor -> Tensor) : Tensor =
        meanOver "trace" probe samples key x (fun z -> Tensor.sum (z * product z))

    /// The trace of a linear function of tensors in the shape of x, as a scalar: the mean of ⟨z, Az⟩ over `samples`
    /// sign vectors z (Girard 1989, Hutchinson 1990). The result can be differentiated with respect to whatever else
    /// the function depends on. Raises ArgumentRangeException for less than one sample, and ShapeException where
    /// product and vector differ in shape.
    let trace samples key (x: Tensor) (product: Tensor -> Tensor) : Tensor =
        traceWith Probe.rademacher samples key x product

    /// diagonal with another probe.
    let diagonalWith probe samples key (x: Tensor) (product: Tensor -> Tensor) : Tensor =
        meanOver "diagonal" probe samples key x (fun z -> z * product z)

    /// The diagonal of a linear function of tensors in the shape of x, in that shape: the mean of z∘Az over `samples`
    /// sign vectors z (Bekas, Kokiopoulou & Saad 2007). Raises ArgumentRangeException for less than one sample.
    let diagonal samples key (x: Tensor) (product: Tensor -> Tensor) : Tensor =
        diagonalWith Probe.rademacher samples key x product

    /// laplacian with another probe.
    let laplacianWith probe samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        meanOver "laplacian" probe samples key x (quadraticForm f x)

    /// The trace of the Hessian of a scalar function at x, as a scalar: the mean of zᵀHz over `samples` sign vectors.
    /// It costs one quadratic form for each, less than a gradient. The gradient of the result costs about two
    /// gradients for each. Raises ArgumentRangeException for less than one sample.
    let laplacian samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        laplacianWith Probe.rademacher samples key f x

    /// hessianDiagonal with another probe.
    let hessianDiagonalWith probe samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        meanOver "hessianDiagonal" probe samples key x (fun z -> z * hessianv f x z)

    /// The diagonal of the Hessian of a scalar function at x, in the shape of x: the mean of z∘Hz over `samples` sign
    /// vectors.
    /// Raises ArgumentRangeException for less than one sample.
    let hessianDiagonal samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        hessianDiagonalWith Probe.rademacher samples key f x

    /// divergence with another probe.
    let divergenceWith probe samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        meanOver "divergence" probe samples key x (fun z -> Tensor.sum (z * jacobianv f x z))

    /// The divergence Σ ∂fᵢ/∂xᵢ of a vector field at x, as a scalar: the mean of zᵀJz over `samples` sign vectors.
    /// Raises ArgumentRangeException for less than one sample, and ShapeException for a function whose value is not
    /// in the shape of x.
    let divergence samples key (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        divergenceWith Probe.rademacher samples key f x

    /// fdivergenceAtPoints with another probe.
    let fdivergenceAtPointsWith probe samples key (f: Tensor -> Tensor) (points: Tensor) : Tensor * Tensor =
        let vectors = draw "fdivergenceAtPoints" probe samples key points

        if points.Rank < 1 then
            Fail.shape "Stochastic.fdivergenceAtPoints: a stack has points along its leading axis, and this is a scalar"

        let field = vmap f
        let value, product = fjacobianv field points (Tensor.item 0 0 vectors)
        let axes = [ 1 .. points.Rank - 1 ]
        let form z product = Tensor.sumAxes axes (z * product)

        let sum =
            [ 1 .. samples - 1 ]
            |> List.fold
                (fun sum i -> let z = Tensor.item 0 i vectors in sum + form z (jacobianv field points z))
                (form (Tensor.item 0 0 vectors) product)

        value, overSamples samples sum

    /// The value of a vector field at each point of a stack, along its leading axis, and its divergence there,
    /// [points]: f is of a single point, and runs on all as one computation, one derivative of the stack for each of
    /// `samples` sign vectors a point. The step of a continuous normalizing flow (Grathwohl et al. 2019, "FFJORD",
    /// equation 7).
    /// Raises ArgumentRangeException for less than one sample, and ShapeException for a function whose value is not
    /// in the shape of its point.
    let fdivergenceAtPoints samples key (f: Tensor -> Tensor) (points: Tensor) : Tensor * Tensor =
        fdivergenceAtPointsWith Probe.rademacher samples key f points
