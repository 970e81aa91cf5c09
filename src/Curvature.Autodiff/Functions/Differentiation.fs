namespace Curvature.FSharp

open Curvature

/// Derivatives of functions of tensors, in DiffSharp's vocabulary: the function first, then the point, then a
/// direction. They nest to any depth and in any mix. A function with an f before its name also returns the value.
///
/// All raise DTypeException at a point of Int32, and ShapeException for a direction unlike the point, or where a scalar
/// function is asked for and another given. A tensor from inside the function that is used after the function has ended
/// raises DifferentiationException.
[<AutoOpen>]
module Differentiation =

    let internal checkPoint name (x: Tensor) =
        if x.DType = DType.Int32 then
            Fail.dtype $"{name}: the point is Int32; derivatives need Float32 or Float64"

    let internal checkLike name what (like: string) (x: Tensor) (v: Tensor) =
        if x.Signature <> v.Signature then
            Fail.shape $"{name}: the {what} is {v.Signature.Text}, and the {like} {x.Signature.Text}"

    let internal checkDirection name x v = checkLike name "direction" "point" x v

    let private scalarResult name (y: Tensor) =
        if y.Rank <> 0 then
            Fail.shape $"{name}: the function must return a scalar, and it returned shape {y.ShapeText}"

        if y.DType = DType.Int32 then
            Fail.dtype $"{name}: the function must return Float32 or Float64, and it returned Int32"

        y

    let private single (f: Tensor -> Tensor) (xs: Tensor[]) = [| f xs[0] |]

    /// The value of f at x, and the derivative along v: one forward pass.
    let fjacobianv (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor * Tensor =
        checkPoint "jacobianv" x
        checkDirection "jacobianv" x v
        let values, tangents = Forward.jvp (single f) [| x |] [| v |]
        values[0], Tangent.orZeros values[0] tangents[0]

    /// J·v, the derivative of f at x along v: one forward pass.
    let jacobianv f x v = snd (fjacobianv f x v)

    /// The value of f at x and its derivative along v.
    let jvp f x v = fjacobianv f x v

    /// The value of f at x, and its derivative there as a linear program, applied any number of times without running f
    /// again.
    let linearize (f: Tensor -> Tensor) (x: Tensor) : Tensor * LinearProgram =
        checkPoint "linearize" x
        let values, program = Reverse.linearize (single f) [| x |]
        values[0], LinearProgram program

    /// The value of f at x, and the map from cotangents of the value to cotangents of x.
    let vjp (f: Tensor -> Tensor) (x: Tensor) : Tensor * (Tensor -> Tensor) =
        checkPoint "vjp" x
        let values, pull = Reverse.vjp (single f) [| x |]

        values[0],
        fun cotangent ->
            checkLike "vjp" "cotangent" "value" values[0] cotangent
            (pull [| cotangent |])[0]

    /// The value of f at x, and Jᵀ·u: one forward and one backward pass.
    let fjacobianTv (f: Tensor -> Tensor) (x: Tensor) (u: Tensor) : Tensor * Tensor =
        let value, pull = vjp f x
        value, pull u

    /// Jᵀ·u, for a cotangent u of the value: one forward and one backward pass.
    let jacobianTv f x u = snd (fjacobianTv f x u)

    /// f on every slice along the leading axis, as one computation on the whole stack; results are stacked likewise.
    /// Raises ShapeException for a scalar, and AbstractValueException where f asks for values of its argument.
    let vmap (f: Tensor -> Tensor) (stack: Tensor) : Tensor = (Batching.vmap (single f) [| stack |])[0]

    /// The value and the gradient of a scalar function: one forward and one backward pass.
    let fgrad (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        checkPoint "grad" x
        let value, pull = vjp (f >> scalarResult "grad") x
        value, pull (value.FillLike 1.0)

    let internal valueAndGradient (f: Tensor -> Tensor) (xs: Tensor[]) : Tensor[] =
        let value, gradient = fgrad f xs[0]
        [| value; gradient |]

    /// The gradient of a scalar function.
    let grad f x = snd (fgrad f x)

    /// The value, and the derivative of a scalar function along v: one forward pass.
    let fgradv (f: Tensor -> Tensor) x v : Tensor * Tensor = fjacobianv (f >> scalarResult "gradv") x v

    /// The derivative of a scalar function along v.
    let gradv f x v = snd (fgradv f x v)

    /// The value and the derivative of a function of a scalar.
    let fdiff (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        if x.Rank <> 0 then
            Fail.shape $"diff: the argument must be a scalar, and it has shape {x.ShapeText}"

        fjacobianv f x (x.FillLike 1.0)

    /// The derivative of a function of a scalar.
    let diff f x = snd (fdiff f x)

    /// The largest order. Each order is one more transformation inside the others, and one more call on the stack.
    let internal mostOrder = 64

    /// The derivative of order n of a function of a scalar. Raises ArgumentRangeException for an order below 0 or above
    /// 64.
    let rec diffn (order: int) (f: Tensor -> Tensor) (x: Tensor) : Tensor =
        Count.between 0 mostOrder "diffn" order
        if order = 0 then f x else diff (diffn (order - 1) f) x

    /// The value, the derivative along v, and H·v of a scalar function: forward over reverse.
    let fgradhessianv (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor * Tensor * Tensor =
        checkPoint "hessianv" x
        checkDirection "hessianv" x v

        let values, tangents = Forward.jvp (valueAndGradient f) [| x |] [| v |]
        values[0], Tangent.orZeros values[0] tangents[0], Tangent.orZeros x tangents[1]

    /// The derivative along v, and H·v, of a scalar function.
    let gradhessianv f x v =
        let _, slope, product = fgradhessianv f x v
        slope, product

    /// The value and H·v of a scalar function: the cost of about two gradients.
    let fhessianv f x v =
        let value, _, product = fgradhessianv f x v
        value, product

    /// H·v of a scalar function.
    let hessianv f x v = snd (fhessianv f x v)

    /// The value and vᵀHv of a scalar function, without the product H·v: one gradient and one forward pass.
    let fquadraticForm (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor * Tensor =
        checkPoint "quadraticForm" x
        checkDirection "quadraticForm" x v
        let value, form = QuadraticForm.at f x
        value, form v

    /// vᵀHv of a scalar function.
    let quadraticForm f x v = snd (fquadraticForm f x v)

    /// A linear map is applied to this many basis vectors at a time, which bounds memory.
    let private basisBlock = 64

    /// The basis of the space of x in blocks, each stacked along a leading axis. Where there is no basis, one empty
    /// block still gives results their shape.
    let internal basisBlocks (x: Tensor) : Tensor list =
        let n = x.Size
        let index = Tensor.arange x.DType n |> Tensor.toDevice x.Device

        [
            for start in 0..basisBlock .. max 0 (n - 1) do
                let count = min basisBlock (n - start)
                let rows = index |> Tensor.slice 0 start count |> Tensor.unsqueeze 1
                Tensor.equal rows index |> Tensor.reshape (count :: List.ofArray x.Signature.Shape)
        ]

    /// Applies a map on single tensors to the basis of the space of x, in blocks; results are stacked in a leading
    /// axis.
    let private mapBasis (x: Tensor) (f: Tensor -> Tensor) : Tensor =
        basisBlocks x |> List.map (vmap f) |> Tensor.concat 0

    /// Puts the leading axis, which runs over the elements of x, behind the axes of y, in the shape of x.
    let private asDerivative (x: Tensor) (stacked: Tensor) =
        let value = [ 1 .. stacked.Rank - 1 ]
        let shape = stacked.Signature.Shape

        stacked
        |> Tensor.permute (value @ [ 0 ])
        |> Tensor.reshape (List.ofArray shape[1..] @ List.ofArray x.Signature.Shape)

    let private checkEntries name (instead: string) (rows: int) (columns: int) =
        let size = int64 rows * int64 columns

        if size > Shape.denseLimit then
            Fail.range (
                $"{name}: the matrix of {rows} by {columns} has {size} entries, and the limit is {Shape.denseLimit}; "
                + $"products with it need no such memory: use {instead}"
            )

    let private checkHessian (x: Tensor) = checkEntries "hessian" "hessianv, or an operator by Hessian.at" x.Size x.Size

    /// The value and the Jacobian, of shape [axes of f(x); axes of x]: forward where x has fewer elements than f(x),
    /// else reverse.
    /// Raises ArgumentRangeException where it has more than 2²⁶ entries, as LinearOperator.dense does; jacobianv and
    /// Jacobian.at have no limit.
    let fjacobian (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        checkPoint "jacobian" x
        let value, program = linearize f x
        checkEntries "jacobian" "jacobianv and jacobianTv, or an operator by Jacobian.at" value.Size x.Size

        if x.Size <= value.Size then
            value, mapBasis x program.Apply |> asDerivative x
        else
            let pull (cotangent: Tensor) =
                (Reverse.transpose program.Program [| ValueSome cotangent |])[0]
                |> Tangent.orZeros x
                |> Tensor.convert value.DType

            let shape = List.ofArray value.Signature.Shape @ List.ofArray x.Signature.Shape
            value, mapBasis value pull |> Tensor.reshape shape

    /// The Jacobian, of shape [axes of f(x); axes of x]. Raises ArgumentRangeException where it has more than 2²⁶
    /// entries.
    let jacobian f x = snd (fjacobian f x)

    /// The value, gradient and Hessian, of shape [axes of x; axes of x], of a scalar function: one product per element
    /// of x.
    /// Raises ArgumentRangeException where it has more than 2²⁶ entries, as LinearOperator.dense does; hessianv and
    /// Hessian.at have no limit.
    let fgradhessian (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor * Tensor =
        checkPoint "hessian" x
        checkHessian x

        let values, program = Reverse.linearize (valueAndGradient f) [| x |]
        let product (v: Tensor) = (program.Interpret [| v |])[1]
        values[0], values[1], mapBasis x product |> asDerivative x

    /// The gradient and Hessian of a scalar function.
    let gradhessian f x =
        let _, gradient, hessian = fgradhessian f x
        gradient, hessian

    /// The value and Hessian of a scalar function.
    let fhessian f x =
        let value, _, hessian = fgradhessian f x
        value, hessian

    /// The Hessian, of shape [axes of x; axes of x], of a scalar function: one product per element of x. Raises
    /// ArgumentRangeException where it has more than 2²⁶ entries.
    let hessian f x = snd (fhessian f x)

    /// The value and the divergence Σ ∂fᵢ/∂xᵢ of a vector field: one derivative along each axis.
    let fdivergence (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        checkPoint "divergence" x
        let value, program = linearize f x

        if value.Signature.Shape <> x.Signature.Shape then
            Fail.shape (
                $"divergence: a vector field has the shape of its argument, {x.ShapeText}, "
                + $"and this one gives {value.ShapeText}"
            )

        value, Tensor.sum (mapBasis x (fun e -> Tensor.dot e (program.Apply e)))

    /// The divergence Σ ∂fᵢ/∂xᵢ of a vector field.
    let divergence f x = snd (fdivergence f x)

    let private curlOf (j: Tensor) =
        let at row column = j |> Tensor.item 0 row |> Tensor.item 0 column
        Tensor.stack 0 [ at 2 1 - at 1 2; at 0 2 - at 2 0; at 1 0 - at 0 1 ]

    let private fieldJacobian name (f: Tensor -> Tensor) (x: Tensor) =
        let value, j = fjacobian f x

        if x.Signature.Shape <> [| 3 |] || value.Signature.Shape <> [| 3 |] then
            Fail.shape (
                $"{name}: a field of three dimensions is needed, "
                + $"and this one takes {x.ShapeText} to {value.ShapeText}"
            )

        value, j

    /// The value and the curl of a vector field in three dimensions.
    let fcurl f x =
        let value, j = fieldJacobian "curl" f x
        value, curlOf j

    /// The curl of a vector field in three dimensions.
    let curl f x = snd (fcurl f x)

    /// The value, curl and divergence of a vector field in three dimensions.
    let fcurldivergence f x =
        let value, j = fieldJacobian "curldivergence" f x
        let trace = Tensor.sum (j * Tensor.toDevice x.Device (Tensor.eye x.DType 3))
        value, curlOf j, trace

    /// The curl and divergence of a vector field in three dimensions.
    let curldivergence f x =
        let _, c, d = fcurldivergence f x
        c, d
