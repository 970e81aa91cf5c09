namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// A sparse Hessian or Jacobian of a function, whose pattern and colours are known: at each point it costs one product
/// per colour. Made by `prepare` of the modules SparseHessian and SparseJacobian.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SparseDerivative
    internal
    (
        name: string,
        point: Signature,
        plan: SparsePlan,
        replan: (Tensor -> SparsePlan) voption,
        family: bool -> Tensor -> CompiledMap
    ) =

    /// Blocks of vectors have at most so many numbers.
    static let mostNumbers = 1 <<< 24

    let family = [| lazy (family false); lazy (family true) |]

    /// The vectors of colours, as rows.
    let seeds (plan: SparsePlan) first count (like: Tensor) (shape: int[]) : Tensor =
        let length = plan.Colours.Length
        let ones = Array.zeroCreate (count * length)

        for i in 0 .. length - 1 do
            let colour = plan.Colours[i]

            if colour >= first && colour < first + count then
                ones[(colour - first) * length + i] <- 1.0

        Tensor.ofArray (count :: List.ofArray shape) ones |> Tensor.convert like.DType |> Tensor.toDevice like.Device

    let evaluate (plan: SparsePlan) (x: Tensor) : SparseMatrix =
        let values, dtype =
            if plan.Count = 0 || plan.Pattern.Count = 0 then
                Array.zeroCreate plan.Pattern.Count, x.DType
            else
                use map = family[if plan.IsByRows then 1 else 0].Value x
                let value = List.last map.Values
                Finite.check $"{name}: the value" map.Values.Head
                let vector = if plan.IsByRows then value else x
                let mutable dtype = x.DType

                let products first count =
                    let block = map.ApplyBlock(seeds plan first count vector vector.Signature.Shape)
                    Finite.check $"{name}: a product" block
                    dtype <- block.DType
                    block.ToArray()

                let blockSize = max 1 (min 64 (mostNumbers / max 1 (max plan.Pattern.Rows plan.Pattern.Columns)))
                plan.Recover plan.Count blockSize products, (if plan.IsByRows then value.DType else dtype)

        let values = Tensor.ofArray [ values.Length ] values |> Tensor.convert dtype |> Tensor.toDevice x.Device
        SparseMatrix(plan.Pattern, values, plan.IsSymmetric)

    /// Which entries are computed. For a function that asks for values of tensors on its way, those at the point at
    /// which it was prepared.
    member _.Pattern = plan.Pattern

    /// How many products it costs.
    member _.ColourCount = plan.Count

    /// The colour of each column or, of a Jacobian that is multiplied from the left, of each row; counted from 0.
    member _.Colours: int[] = Array.copy plan.Colours

    /// Whether rows have colours, and products are those of the transpose.
    member _.IsByRows = plan.IsByRows

    /// The matrix at a point of the shape for which it was prepared. Where the function asks for values of tensors, its
    /// pattern is found and coloured anew. Raises ShapeException for another shape or element type, and
    /// NonFiniteException where the function or a product is NaN or infinite.
    member _.At(x: Tensor) : SparseMatrix =
        System.ArgumentNullException.ThrowIfNull(x, nameof x)

        if x.Signature <> point then
            Fail.shape $"{name}: it was prepared for {point.Text}, and got {x.Signature.Text}"

        Sparsity.checkPoint name x

        match replan with
        | ValueNone -> evaluate plan x
        | ValueSome replan -> evaluate (replan x) x

    override _.ToString() =
        let side = if plan.IsByRows then "rows" else "columns"

        $"{name} of {plan.Pattern.Rows} by {plan.Pattern.Columns}, {plan.Pattern.Count} entries, "
        + $"""{Describe.count plan.Count "colour"} of {side}"""

    member internal this.Text = this.ToString()
