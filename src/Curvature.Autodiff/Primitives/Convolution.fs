namespace Curvature

open Curvature.Kernels

/// The three arrays of a convolution, of which any one can be computed from the other two.
type internal ConvolutionRole =
    /// Images [N; H; W; C].
    | Input = 0
    /// Filters [KH; KW; C / groups; K].
    | Filters = 1
    /// Images [N; H′; W′; K].
    | Output = 2

/// A convolution, its input gradient or its filter gradient: the partial gradients of the trilinear φ(x, w, y) =
/// ⟨convolve(x, w), y⟩, each a bilinear map of the two other arrays. So the transpose of each is one of the three, and
/// the derivative of any of them is made of the three. An operand may have a leading axis, over which the operation is
/// repeated; then the result has it too.
[<Sealed>]
type internal Convolve(result: ConvolutionRole, height: WindowAxis, width: WindowAxis, groups: int) =
    inherit BilinearPrimitive("Convolve", (result, height, width, groups))

    let roles =
        match result with
        | ConvolutionRole.Input -> [| ConvolutionRole.Output; ConvolutionRole.Filters |]
        | ConvolutionRole.Filters -> [| ConvolutionRole.Input; ConvolutionRole.Output |]
        | _ -> [| ConvolutionRole.Input; ConvolutionRole.Filters |]

    let form =
        match result with
        | ConvolutionRole.Input -> ConvolutionForm.InputGradient
        | ConvolutionRole.Filters -> ConvolutionForm.FilterGradient
        | _ -> ConvolutionForm.Forward

    /// Images, channels and filters, from the operands' shapes without leading axis.
    let sizes (shapes: int[][]) =
        let mutable images, channels, filters = 0, 0, 0

        Array.iter2
            (fun role (shape: int[]) ->
                match role with
                | ConvolutionRole.Filters ->
                    channels <- shape[2] * groups
                    filters <- shape[3]
                | ConvolutionRole.Input ->
                    images <- shape[0]
                    channels <- shape[3]
                | _ ->
                    images <- shape[0]
                    filters <- shape[3])
            roles
            shapes

        struct (images, channels, filters)

    let shapeOf role (struct (images, channels, filters)) =
        match role with
        | ConvolutionRole.Input -> [| images; height.Input; width.Input; channels |]
        | ConvolutionRole.Filters -> [| height.Kernel; width.Kernel; channels / groups; filters |]
        | _ -> [| images; height.Output; width.Output; filters |]

    /// The operand's shape without the axis of repetitions.
    let single (shape: int[]) = if shape.Length = 5 then Array.tail shape else shape

    /// The axis of repetitions, if there is one.
    let leading (shapes: int[][]) = shapes |> Array.tryFind (fun shape -> shape.Length = 5) |> Option.map Array.head

    let describe (sources: View[]) (target: View) add =
        let struct (images, channels, filters) = sizes (sources |> Array.map (fun view -> single view.Shape))

        let view role =
            match System.Array.IndexOf(roles, role) with
            | -1 -> target
            | i -> sources[i]

        let step role =
            if (view role).Shape.Length = 5 then
                int64 (Shape.size (single (view role).Shape))
            else
                0L

        let place role = RepeatedPlace((view role).Place, step role)

        ConvolutionDescription(
            target.DType,
            ConvolutionSizes(images, height, width, channels, filters, groups),
            place ConvolutionRole.Input,
            place ConvolutionRole.Filters,
            place ConvolutionRole.Output,
            add,
            (if target.Shape.Length = 5 then target.Shape[0] else 1)
        )

    let fold (t: Tensor) =
        let shape = t.Signature.Shape
        Tensor.Of(Structure.Reshape(Array.append [| shape[0] * shape[1] |] shape[2..]), t)

    /// Another of the three arrays from values of the two others. Repetitions are summed over where the array has none.
    let compute (role: ConvolutionRole) (signature: Signature) (values: (ConvolutionRole * Tensor) list) : Tensor =
        let primitive = Convolve(role, height, width, groups)
        let operands = primitive.Roles |> Array.map (fun operand -> values |> List.find (fst >> (=) operand) |> snd)
        let repeated = operands |> Array.filter (fun t -> t.Rank = 5)

        if repeated.Length = 0 || signature.Shape.Length = 5 then
            Tensor.Of(primitive, operands)
        elif role = ConvolutionRole.Filters && repeated.Length = 2 then
            // A sum over repetitions of sums over images is a sum over more images.
            Tensor.Of(primitive, operands |> Array.map fold)
        else
            (Tensor.Of(primitive, operands)).SumOver [| 0 |]

    member _.Roles = roles
    member _.Result = result
    member _.Height = height
    member _.Width = width
    member _.Groups = groups

    override _.ToString() = $"Convolve to {result} (height {height}; width {width}; {groups} groups)"

    override this.Infer operands =
        let shapes = operands |> Array.map _.Shape

        if operands[0].DType <> operands[1].DType || operands[0].DType = DType.Int32 then
            Fail.dtype (
                $"convolution: operands must both be Float32 or both Float64, "
                + $"and they are {operands[0].DType} and {operands[1].DType}"
            )

        let fits =
            shapes |> Array.forall (fun shape -> shape.Length = 4 || shape.Length = 5)
            && shapes |> Array.forall (fun shape -> shape.Length = 4 || Some shape[0] = leading shapes)
            && (let all = sizes (shapes |> Array.map single)
                let struct (_, channels, filters) = all

                channels % groups = 0
                && filters % groups = 0
                && Array.forall2 (fun role shape -> single shape = shapeOf role all) roles shapes)

        if not fits then
            Fail.shape (
                $"convolution: {roles[0]} {Shape.show shapes[0]} and {roles[1]} {Shape.show shapes[1]} "
                + $"do not fit {this}"
            )

        let shape = shapeOf result (sizes (shapes |> Array.map single))

        [|
            { operands[0] with
                Shape = Array.append (Option.toArray (leading shapes)) shape
            }
        |]

    override _.Evaluation =
        Accumulate(fun emitter sources target add ->
            let sources = sources |> Array.map emitter.RowMajor
            let kernel = emitter.Device.Convolve(describe sources target add, form)
            emitter.Emit(kernel, [ yield! sources; if add then yield target ], [ target ]))

    override _.Adjoint(k, operand, cotangent, other) =
        compute roles[k] operand [ result, cotangent; roles[1 - k], other ]

    /// A batch becomes repetitions; a batch of repetitions becomes more of them.
    override this.Batch(size, operands, batched) =
        let inner = Array.map2 (fun (t: Tensor) isBatched -> if isBatched then t.Rank - 1 else t.Rank) operands batched

        match Array.tryFindIndex ((=) 5) inner with
        | None -> Interpreter.Bind(this, operands)
        | Some i ->
            let repeats = operands[i].Signature.Shape[if batched[i] then 1 else 0]

            let spread (k: int) (t: Tensor) =
                if inner[k] = 4 && not batched[k] then
                    t
                else
                    let shape = t.Signature.Shape
                    let single = shape[shape.Length - 4 ..]
                    let last = [| 2..5 |]

                    let axes =
                        match inner[k], batched[k] with
                        | 5, true -> Array.append [| 0; 1 |] last
                        | 5, false -> Array.append [| 1 |] last
                        | _ -> Array.append [| 0 |] last

                    let all = Array.append [| size; repeats |] single
                    fold (if shape = all then t else Tensor.Of(Broadcast(all, axes), t))

            let stack = Tensor.Of(this, operands |> Array.mapi spread)
            Interpreter.Bind(Structure.Reshape(Array.append [| size; repeats |] stack.Signature.Shape[1..]), stack)
