namespace Curvature

open Curvature.Kernels

/// The primitives that pick and place elements by Int32 indices, and cumulative sums.
module internal Indexing =

    let private product (lengths: int[]) = Array.fold (*) 1 lengths

    /// The sizes of a gather: table [batch…, outer…, length, inner…], index [batch…, count…].
    let private sizes (axis: int) batchAxes (table: int[]) (index: int[]) =
        product table[.. batchAxes - 1],
        product table[batchAxes .. axis - 1],
        table[axis],
        product index[batchAxes..],
        product table[axis + 1 ..]

    let private describe axis batchAxes (table: int[]) (source: View) (index: View) (target: View) =
        let batch, outer, length, count, inner = sizes axis batchAxes table index.Shape

        let sizes = IndexingSizes(batch, outer, length, count, inner)
        IndexingDescription(source.DType, sizes, source.Place, index.Place, target.Place)

    let private checkIndex name (index: Signature) =
        if index.DType <> DType.Int32 then
            Fail.dtype $"{name}: an index is an Int32 tensor, and this one is {index.DType}"

    /// table[batch…, outer…, index[batch…, count…], inner…] → [batch…, outer…, count…, inner…]. The first `batchAxes`
    /// axes of table and index are paired.
    [<Sealed>]
    type Gather(axis: int, batchAxes: int) =
        inherit Primitive("Gather", (axis, batchAxes))
        member _.Axis = axis
        member _.BatchAxes = batchAxes

        override _.Infer operands =
            let table, index = operands[0], operands[1]
            checkIndex "gather" index

            if table.Shape[.. batchAxes - 1] <> index.Shape[.. batchAxes - 1] then
                Fail.shape (
                    $"gather: the first {batchAxes} axes of {Shape.show table.Shape} "
                    + $"and {Shape.show index.Shape} differ"
                )

            let shape = Array.concat [ table.Shape[.. axis - 1]; index.Shape[batchAxes..]; table.Shape[axis + 1 ..] ]
            [| { table with Shape = shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let table, index = emitter.RowMajor sources[0], emitter.RowMajor sources[1]

                emitter.IntoRowMajor targets[0] (fun target ->
                    let kernel = emitter.Device.Gather(describe axis batchAxes table.Shape table index target)
                    emitter.Emit(kernel, [ table; index ], [ target ])))

        override this.Jvp(primals, _, tangents) =
            [| tangents[0] |> Tangent.map (fun t -> Tensor.Of(this, t, primals[1])) |]

        override _.Transpose(cotangents, operands) =
            match operands[1] with
            | Known index ->
                let length = operands[0].Signature.Shape[axis]

                [|
                    cotangents[0] |> Tangent.map (fun c -> Tensor.Of(ScatterAdd(axis, batchAxes, length), index, c))
                    ValueNone
                |]
            | Unknown _ -> Fail.differentiation "gather is not linear in its index"

        override _.Batch(size, operands, batched) =
            if not batched[1] && batchAxes = 0 then
                Interpreter.Bind(Gather(axis + 1, 0), operands)
            else
                Interpreter.Bind(Gather(axis + 1, batchAxes + 1), Batched.align size operands batched)

    /// Zeros of the table's shape, to which each update is added where the index points: the adjoint of Gather.
    and [<Sealed>] ScatterAdd(axis: int, batchAxes: int, length: int) =
        inherit Primitive("ScatterAdd", (axis, batchAxes, length))

        let tableShape (index: int[]) (updates: int[]) =
            let counted = index.Length - batchAxes
            Array.concat [ updates[.. axis - 1]; [| length |]; updates[axis + counted ..] ]

        member _.Axis = axis
        member _.BatchAxes = batchAxes

        override _.Infer operands =
            let index, updates = operands[0], operands[1]
            checkIndex "scatterAdd" index

            if length < 0 then
                Fail.shape $"scatterAdd: an axis cannot have a negative length, and {length} was asked for"

            if updates.DType = DType.Int32 then
                Fail.dtype "scatterAdd: updates are Float32 or Float64, and these are Int32; convert them first"

            if updates.Shape[.. batchAxes - 1] <> index.Shape[.. batchAxes - 1] then
                Fail.shape (
                    $"scatterAdd: the first {batchAxes} axes of {Shape.show updates.Shape} "
                    + $"and {Shape.show index.Shape} differ"
                )

            if updates.Shape[axis .. axis + index.Shape.Length - batchAxes - 1] <> index.Shape[batchAxes..] then
                Fail.shape (
                    $"scatterAdd: updates of shape {Shape.show updates.Shape} do not fit an index "
                    + $"of shape {Shape.show index.Shape} at axis {axis}"
                )

            [| { updates with Shape = tableShape index.Shape updates.Shape } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let index, updates = emitter.RowMajor sources[0], emitter.RowMajor sources[1]

                emitter.IntoRowMajor targets[0] (fun target ->
                    let kernel = emitter.Device.ScatterAdd(describe axis batchAxes target.Shape updates index target)
                    emitter.Emit(kernel, [ updates; index ], [ target ])))

        override this.Jvp(primals, _, tangents) =
            [| tangents[1] |> Tangent.map (fun t -> Tensor.Of(this, primals[0], t)) |]

        override _.Transpose(cotangents, operands) =
            match operands[0] with
            | Known index ->
                [|
                    ValueNone
                    cotangents[0] |> Tangent.map (fun c -> Tensor.Of(Gather(axis, batchAxes), c, index))
                |]
            | Unknown _ -> Fail.differentiation "scatterAdd is not linear in its index"

        override _.Batch(size, operands, batched) =
            if not batched[0] && batchAxes = 0 then
                Interpreter.Bind(ScatterAdd(axis + 1, 0, length), operands)
            else
                Interpreter.Bind(ScatterAdd(axis + 1, batchAxes + 1, length), Batched.align size operands batched)

    /// The position of the first largest element over the last axis, as Int32. It has no derivative.
    [<Sealed>]
    type ArgMaximum() =
        inherit Primitive("ArgMaximum", null)

        override _.Infer operands =
            let shape = operands[0].Shape

            if operands[0].DType = DType.Int32 then
                Fail.dtype "argMax: numbers are Float32 or Float64, and these are Int32; convert them first"

            if shape.Length = 0 || shape[shape.Length - 1] = 0 then
                Fail.shape $"argMax: there is nothing to choose from in the last axis of {Shape.show shape}"

            [| { Shape = shape[.. shape.Length - 2]; DType = DType.Int32 } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let lastAxis = sources[0].Shape.Length - 1
                emitter.Reduce(ReductionKind.ArgMaximum, sources[0], [| lastAxis |], targets[0]))

        override _.Jvp(_, _, _) = [| ValueNone |]
        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

    /// The positions of the elements of the last axis in order, as Int32. Equal elements keep their order, and NaN
    /// comes last. It has no derivative.
    [<Sealed>]
    type ArgSort(descending: bool) =
        inherit Primitive("ArgSort", descending)

        override _.Infer operands =
            if operands[0].Shape.Length = 0 then
                Fail.shape "argSort: a scalar has no axis to sort"

            [| { operands[0] with DType = DType.Int32 } |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let source = emitter.RowMajor sources[0]
                let length = Array.last source.Shape
                let rows = product source.Shape[.. source.Shape.Length - 2]

                emitter.IntoRowMajor targets[0] (fun target ->
                    let sort = ArgSortDescription(source.DType, rows, length, descending, source.Place, target.Place)
                    emitter.Emit(emitter.Device.ArgSort sort, [ source ], [ target ])))

        override _.Jvp(_, _, _) = [| ValueNone |]
        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

    /// Sums of all elements up to each one along an axis, or from each one on.
    [<Sealed>]
    type CumulativeSum(axis: int, reverse: bool) =
        inherit LinearPrimitive("CumulativeSum", (axis, reverse))
        member _.Axis = axis
        member _.IsReversed = reverse

        override _.Infer operands =
            operands[0].RequireNumbers "cumulativeSum"

            [| operands[0] |]

        override _.Evaluation =
            Compute(fun emitter sources targets ->
                let source = emitter.RowMajor sources[0]
                let outer = product source.Shape[.. axis - 1]
                let inner = product source.Shape[axis + 1 ..]

                emitter.IntoRowMajor targets[0] (fun target ->
                    let sum =
                        CumulativeSumDescription(
                            source.DType,
                            outer,
                            source.Shape[axis],
                            inner,
                            reverse,
                            source.Place,
                            target.Place
                        )

                    emitter.Emit(emitter.Device.CumulativeSum sum, [ source ], [ target ])))

        override _.Adjoint(cotangents, _) =
            cotangents[0] |> Tangent.map (fun c -> Tensor.Of(CumulativeSum(axis, not reverse), c))

        override _.Batch(_, operands, _) = Interpreter.Bind(CumulativeSum(axis + 1, reverse), operands)
