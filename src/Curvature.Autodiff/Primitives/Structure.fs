namespace Curvature

open Curvature.Kernels

/// The primitives that move elements and do no arithmetic. All are linear, and most run no kernel.
module internal Structure =

    let private shiftAxes (axes: int[]) = axes |> Array.map ((+) 1)
    let private prepend head (tail: int[]) = Array.append [| head |] tail

    /// Fills a view with zeros. Tapes have no Int32, but a Float32 zero has the same bits.
    let clear (emitter: Emitter) (target: View) =
        let dtype = if target.DType = DType.Int32 then DType.Float32 else target.DType
        let tape = TapeDescription(dtype, target.Shape, [||], [| 0.0 |], [||], [| TapeOutput(0, target.Operand) |])
        emitter.Emit(emitter.Device.Map tape, [], [ target ])

    /// The same elements, in row-major order, in another shape.
    [<Sealed>]
    type Reshape(shape: int[]) =
        inherit LinearPrimitive("Reshape", List.ofArray shape)
        member _.Shape = shape

        override _.Infer operands =
            if Shape.size operands[0].Shape <> Shape.size shape then
                Fail.shape (
                    $"reshape: {Shape.show operands[0].Shape} has {Shape.size operands[0].Shape} elements, "
                    + $"and {Shape.show shape} has {Shape.size shape}"
                )

            [| { operands[0] with Shape = shape } |]

        override _.Evaluation = Reinterpret(fun view -> View.reshape shape view |> ValueOption.map Array.singleton)

        override _.Adjoint(cotangents, operand) =
            cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Reshape operand.Shape, c))

        override _.Batch(size, operands, _) = Interpreter.Bind(Reshape(prepend size shape), operands)

    /// Result axis i is operand axis order[i].
    [<Sealed>]
    type Permute(order: int[]) =
        inherit LinearPrimitive("Permute", List.ofArray order)
        member _.Order = order
        member _.Inverse = Array.init order.Length (fun axis -> System.Array.IndexOf(order, axis))

        override _.Infer operands =
            [|
                { operands[0] with
                    Shape = order |> Array.map (fun axis -> operands[0].Shape[axis])
                }
            |]

        override _.Evaluation = Reinterpret(fun view -> ValueSome [| View.permute order view |])

        override this.Adjoint(cotangents, _) =
            cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Permute this.Inverse, c))

        override _.Batch(_, operands, _) = Interpreter.Bind(Permute(prepend 0 (shiftAxes order)), operands)

    /// Reverses the order along axes.
    [<Sealed>]
    type ReverseAxes(axes: int[]) =
        inherit LinearPrimitive("Reverse", List.ofArray axes)
        override _.Infer operands = [| operands[0] |]

        override _.Evaluation =
            Reinterpret(fun view ->
                let pick reversed kept =
                    view.Shape
                    |> Array.mapi (fun axis length -> if Array.contains axis axes then reversed length else kept)

                if Shape.size view.Shape = 0 then
                    ValueSome [| view |]
                else
                    ValueSome
                        [| View.slice (pick (fun length -> length - 1) 0) view.Shape (pick (fun _ -> -1) 1) view |])

        override this.Adjoint(cotangents, _) = cotangents[0] |> Tangent.map (fun c -> Tensor.Of(this, c))

        override _.Batch(_, operands, _) = Interpreter.Bind(ReverseAxes(shiftAxes axes), operands)

    /// Along each axis, a number of elements from a start at positive steps.
    [<Sealed>]
    type Slice(start: int[], shape: int[], steps: int[]) =
        inherit LinearPrimitive("Slice", (List.ofArray start, List.ofArray shape, List.ofArray steps))

        override _.Infer operands =
            let source = operands[0].Shape

            for axis in 0 .. source.Length - 1 do
                let last = int64 start[axis] + int64 (shape[axis] - 1) * int64 steps[axis]

                let fits =
                    if shape[axis] = 0 then
                        start[axis] <= source[axis]
                    else
                        last < int64 source[axis]

                if start[axis] < 0 || shape[axis] < 0 || not fits then
                    Fail.shape (
                        $"slice: {shape[axis]} elements from {start[axis]} in steps of {steps[axis]} "
                        + $"do not lie within axis {axis} of shape {Shape.show source}"
                    )

            [| { operands[0] with Shape = shape } |]

        override _.Evaluation = Reinterpret(fun view -> ValueSome [| View.slice start shape steps view |])

        override _.Adjoint(cotangents, operand) =
            let after =
                Array.init start.Length (fun axis ->
                    operand.Shape[axis] - start[axis] - (max 0 (shape[axis] - 1) * steps[axis] + min 1 shape[axis]))

            let interior = steps |> Array.map (fun step -> step - 1)
            cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Pad(start, interior, after), c))

        override _.Batch(size, operands, _) =
            Interpreter.Bind(Slice(prepend 0 start, prepend size shape, prepend 1 steps), operands)

    /// Zeros before, between and after the elements of each axis.
    and [<Sealed>] Pad(before: int[], interior: int[], after: int[]) =
        inherit LinearPrimitive("Pad", (List.ofArray before, List.ofArray interior, List.ofArray after))

        override _.Infer operands =
            let padded axis (length: int) =
                let inside = int64 length + int64 interior[axis] * int64 (max 0 (length - 1))
                let total = int64 before[axis] + inside + int64 after[axis]

                if total > int64 System.Int32.MaxValue then
                    Fail.shape $"pad: axis {axis} of {Shape.show operands[0].Shape} would get {total} elements"

                int total

            [| { operands[0] with Shape = operands[0].Shape |> Array.mapi padded } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                clear emitter targets[0]
                let inside = View.slice before sources[0].Shape (interior |> Array.map ((+) 1)) targets[0]
                emitter.CopyTo(sources[0], inside))

        override _.Adjoint(cotangents, operand) =
            let steps = interior |> Array.map ((+) 1)
            cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Slice(before, operand.Shape, steps), c))

        override _.Batch(_, operands, _) =
            Interpreter.Bind(Pad(prepend 0 before, prepend 0 interior, prepend 0 after), operands)

    /// Cuts an axis into consecutive pieces, one result each. A flat parameter vector becomes its parts this way.
    [<Sealed>]
    type Split(axis: int, sizes: int[]) =
        inherit LinearPrimitive("Split", (axis, List.ofArray sizes))
        member _.Axis = axis
        member _.Sizes = sizes

        override _.Infer operands =
            let source = operands[0]
            let total = sizes |> Array.sumBy int64

            if Array.exists (fun size -> size < 0) sizes then
                Fail.shape $"split: pieces cannot have negative lengths, and these are {Shape.show sizes}"

            if total <> int64 source.Shape[axis] then
                Fail.shape (
                    $"split: pieces of {Shape.show sizes} add up to {total}, "
                    + $"and axis {axis} of {Shape.show source.Shape} has {source.Shape[axis]}"
                )

            sizes |> Array.map (fun size -> { source with Shape = source.Shape |> Array.updateAt axis size })

        override _.Evaluation =
            Reinterpret(fun view ->
                let starts = Array.scan (+) 0 sizes

                sizes
                |> Array.mapi (fun piece size ->
                    let start = Array.zeroCreate view.Shape.Length |> Array.updateAt axis starts[piece]
                    let ones = Array.create view.Shape.Length 1
                    View.slice start (view.Shape |> Array.updateAt axis size) ones view)
                |> ValueSome)

        override _.Adjoint(cotangents, operand) =
            match
                cotangents
                |> Array.tryPick (fun c ->
                    match c with
                    | ValueSome c -> Some c
                    | ValueNone -> None)
            with
            | None -> ValueNone
            | Some example ->
                let pieces =
                    cotangents
                    |> Array.mapi (fun piece cotangent ->
                        match cotangent with
                        | ValueSome c -> c
                        | ValueNone -> example.Fill(operand.Shape |> Array.updateAt axis sizes[piece], 0.0))

                ValueSome(Tensor.Of(Concat axis, pieces))

        override _.Batch(_, operands, _) = Interpreter.Bind(Split(axis + 1, sizes), operands)

    /// Joins operands along an axis.
    and [<Sealed>] Concat(axis: int) =
        inherit Primitive("Concat", axis)
        member _.Axis = axis

        override _.Infer operands =
            let first = operands[0]

            for operand in operands do
                let fits =
                    operand.Shape.Length = first.Shape.Length
                    && Array.updateAt axis 0 operand.Shape = Array.updateAt axis 0 first.Shape

                if not fits then
                    Fail.shape (
                        $"concat: shapes {Shape.show first.Shape} and {Shape.show operand.Shape} "
                        + $"differ outside axis {axis}"
                    )

                if operand.DType <> first.DType then
                    Fail.dtype $"concat: element types {first.DType} and {operand.DType} differ"

            let length = operands |> Array.sumBy (fun operand -> int64 operand.Shape[axis])

            if length > int64 System.Int32.MaxValue then
                Fail.shape $"concat: {length} elements do not fit into one axis"

            [| { first with Shape = first.Shape |> Array.updateAt axis (int length) } |]

        /// The parts of the joined array that the operands fill.
        member _.Places(shapes: int[][], target: View) =
            let starts = shapes |> Array.map (Array.item axis) |> Array.scan (+) 0
            let ones = Array.create target.Shape.Length 1

            shapes
            |> Array.mapi (fun i shape ->
                View.slice (Array.zeroCreate shape.Length |> Array.updateAt axis starts[i]) shape ones target)

        override this.Evaluation =
            Compute(fun emitter sources targets ->
                this.Places(sources |> Array.map _.Shape, targets[0])
                |> Array.iter2 (fun source place -> emitter.CopyTo(source, place)) sources)

        override this.Jvp(primals, _, tangents) =
            let pieces = Array.map2 Tangent.orZeros primals tangents
            [| ValueSome(Tensor.Of(this, pieces)) |]

        override _.Transpose(cotangents, operands) =
            match cotangents[0] with
            | ValueNone -> operands |> Array.map (fun _ -> ValueNone)
            | ValueSome cotangent ->
                let sizes = operands |> Array.map (fun operand -> operand.Signature.Shape[axis])
                let pieces = Interpreter.Bind(Split(axis, sizes), cotangent)

                Array.map2
                    (fun operand piece ->
                        match operand with
                        | Unknown _ -> ValueSome piece
                        | Known _ -> ValueNone)
                    operands
                    pieces

        override _.Batch(size, operands, batched) =
            Interpreter.Bind(Concat(axis + 1), Batched.align size operands batched)

    /// The same values in another element type.
    [<Sealed>]
    type Convert(dtype: DType) =
        inherit Primitive("Convert", dtype)

        override _.Infer operands =
            Storage.Bytes dtype |> ignore
            [| { operands[0] with DType = dtype } |]

        override _.Evaluation = Compute(fun emitter sources targets -> emitter.CopyTo(sources[0], targets[0]))

        override this.Jvp(_, _, tangents) =
            if dtype = DType.Int32 then
                [| ValueNone |]
            else
                [| tangents[0] |> Tangent.map (fun t -> Tensor.Of(this, t)) |]

        override _.Transpose(cotangents, operands) =
            [| cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Convert operands[0].Signature.DType, c)) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

    /// The value, as a constant: no derivative flows through.
    [<Sealed>]
    type StopGradient() =
        inherit Primitive("StopGradient", null)
        override _.Infer operands = operands
        override _.Evaluation = Reinterpret(fun view -> ValueSome [| view |])
        override _.Jvp(_, _, _) = [| ValueNone |]
        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)
