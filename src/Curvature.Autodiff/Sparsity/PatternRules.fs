namespace Curvature

open Curvature.FSharp
open Curvature.Kernels

/// An operand of an equation of a linear program.
[<NoEquality; NoComparison>]
type internal PatternOperand =
    {
        Atom: Atom
        /// The sets of its elements; missing for a coefficient.
        Sets: Tensor voption
    }

/// What the results of linear primitives depend on. A primitive without a rule makes all its results depend on all that
/// its operands do, which is never wrong.
[<Sealed>]
type internal PatternRules(program: Program, elements: ElementSets, support: Support) =

    /// Products of more elements than this are not followed one by one.
    static let mostPairs = 1L <<< 28

    let signatureOf (operand: PatternOperand) = program.Signature operand.Atom
    let setsOf (operand: PatternOperand) = operand.Sets |> ValueOption.defaultWith (fun () -> elements.Full([||], 0))

    let linear (operands: PatternOperand[]) = operands |> Array.filter _.Sets.IsSome

    let everything (equation: Equation) (operands: PatternOperand[]) : Tensor[] =
        let all = linear operands |> Array.map setsOf
        equation.Results |> Array.map (fun id -> elements.All(program.Variables[id].Shape, all))

    /// The place of the only linear operand of a product.
    let single (operands: PatternOperand[]) : int voption =
        match operands with
        | [| a; b |] when a.Sets.IsSome <> b.Sets.IsSome -> ValueSome(if a.Sets.IsSome then 0 else 1)
        | _ -> ValueNone

    // ---- elementwise

    let times (a: PatternOperand) (b: PatternOperand) : Tensor voption =
        match a.Sets, b.Sets with
        | ValueSome sets, ValueNone -> ValueSome(elements.Restrict(support.Marks b.Atom, sets))
        | ValueNone, ValueSome sets -> ValueSome(elements.Restrict(support.Marks a.Atom, sets))
        | ValueSome a, ValueSome b -> ValueSome(elements.Union(a, b))
        | _ -> ValueNone

    let either (a: Tensor voption) (b: Tensor voption) : Tensor voption =
        match a, b with
        | ValueNone, other
        | other, ValueNone -> other
        | ValueSome a, ValueSome b -> ValueSome(elements.Union(a, b))

    /// The branches of a selection: both, where the mask is not known.
    let select (mask: PatternOperand) (a: PatternOperand) (b: PatternOperand) : Tensor voption =
        match support.Known mask.Atom with
        | ValueSome mask when mask.Length = Shape.size (signatureOf a).Shape ->
            let where keep sets = elements.Where(keep, sets)

            either
                (a.Sets |> ValueOption.map (where (fun i -> mask[i] <> 0.0)))
                (b.Sets |> ValueOption.map (where (fun i -> mask[i] = 0.0)))
        | _ -> either a.Sets b.Sets

    let elementwise (op: OpCode) (operands: PatternOperand[]) (shape: int[]) : Tensor =
        let found =
            match op with
            | OpCode.Multiply -> times operands[0] operands[1]
            | OpCode.MultiplyAdd -> either (times operands[0] operands[1]) operands[2].Sets
            | OpCode.Select -> select operands[0] operands[1] operands[2]
            | _ when ScalarFunction.partials op |> List.forall ((=) (Number 0.0)) -> ValueNone
            | _ -> operands |> Array.map _.Sets |> Array.reduce either

        found |> ValueOption.defaultWith (fun () -> elements.Full(shape, 0))

    // ---- moves

    let isComputedIndex (operand: PatternOperand) =
        operand.Sets.IsNone && operand.Atom.IsVariable && (signatureOf operand).DType = DType.Int32

    let moved (equation: Equation) (operands: PatternOperand[]) : Tensor[] =
        let operand (operand: PatternOperand) =
            match operand.Sets, operand.Atom with
            | ValueSome sets, _ -> sets
            | ValueNone, Constant index when index.DType = DType.Int32 -> index
            | _ -> elements.Full((signatureOf operand).Shape, 0)

        Interpreter.Bind(equation.Primitive, operands |> Array.map operand)

    let broadcast (shape: int[]) (dims: int[]) (t: Tensor) : Tensor = Tensor.Of(Broadcast(shape, dims), t)

    /// table[batch…, outer…, length, inner…] at computed indices [batch…, count…].
    let gather (gather: Indexing.Gather) (table: Tensor) (index: Atom) (result: int[]) : Tensor =
        let shape = table.Signature.Shape
        let indexShape = (program.Signature index).Shape
        let batch = Shape.size shape[.. gather.BatchAxes - 1]
        let outer = Shape.size shape[gather.BatchAxes .. gather.Axis - 1]
        let inner = Shape.size shape[gather.Axis + 1 ..]
        let length, count = shape[gather.Axis], Shape.size indexShape[gather.BatchAxes ..]

        match support.Candidates index with
        | ValueNone ->
            let counted = indexShape.Length - gather.BatchAxes
            let after = [| gather.Axis + counted .. result.Length - 1 |]
            broadcast result (Array.append [| 0 .. gather.Axis - 1 |] after) (elements.Reduce([| gather.Axis |], table))
        | ValueSome candidates ->
            let sets = table.ToInt32Array()

            elements.Gather(
                result,
                fun receive ->
                    for b in 0 .. batch - 1 do
                        for o in 0 .. outer - 1 do
                            for c in 0 .. count - 1 do
                                for place in candidates[b * count + c] do
                                    for i in 0 .. inner - 1 do
                                        let from = ((b * outer + o) * length + place) * inner + i
                                        receive (((b * outer + o) * count + c) * inner + i) sets[from]
            )

    /// Updates [batch…, outer…, count…, inner…] that go to result[batch…, outer…, index, inner…].
    let scatter (scatter: Indexing.ScatterAdd) (index: Atom) (updates: Tensor) (result: int[]) : Tensor =
        let shape = updates.Signature.Shape
        let counted = (program.Signature index).Shape.Length - scatter.BatchAxes
        let axes = [| scatter.Axis .. scatter.Axis + counted - 1 |]

        let places =
            match index with
            | Constant known -> known.ToInt32Array() |> Array.map Array.singleton |> ValueSome
            | Variable _ -> support.Candidates index

        match places with
        | ValueNone ->
            let kept = Shape.otherAxes [| scatter.Axis |] result.Length
            broadcast result kept (elements.Reduce(axes, updates))
        | ValueSome places ->
            let sets = updates.ToInt32Array()
            let batch = Shape.size shape[.. scatter.BatchAxes - 1]
            let outer = Shape.size shape[scatter.BatchAxes .. scatter.Axis - 1]
            let inner = Shape.size shape[scatter.Axis + counted ..]
            let length, count = result[scatter.Axis], Shape.size shape[scatter.Axis .. scatter.Axis + counted - 1]

            elements.Gather(
                result,
                fun receive ->
                    for b in 0 .. batch - 1 do
                        for o in 0 .. outer - 1 do
                            for c in 0 .. count - 1 do
                                for place in places[b * count + c] do
                                    for i in 0 .. inner - 1 do
                                        let from = ((b * outer + o) * count + c) * inner + i
                                        receive (((b * outer + o) * length + place) * inner + i) sets[from]
            )

    // ---- products

    let contract (einsum: Einsum) (operands: PatternOperand[]) (k: int) (result: int[]) : Tensor =
        let labels, others = if k = 0 then einsum.Left, einsum.Right else einsum.Right, einsum.Left
        let sets = setsOf operands[k]
        let marks = support.Marks operands[1 - k].Atom

        let length label =
            match System.Array.IndexOf(labels, label) with
            | -1 -> (signatureOf operands[1 - k]).Shape[System.Array.IndexOf(others, label)]
            | axis -> sets.Signature.Shape[axis]

        let summed = Array.append labels others |> Array.distinct |> Array.except einsum.Result
        let size labels = labels |> Array.fold (fun size label -> size * int64 (length label)) 1L

        if marks.IsNone || elements.IsEmpty sets || size einsum.Result * size summed > mostPairs then
            let gone = [| 0 .. labels.Length - 1 |] |> Array.filter (fun axis -> Array.contains labels[axis] summed)
            let left = labels |> Array.filter (fun label -> not (Array.contains label summed))

            let order =
                [| 0 .. left.Length - 1 |] |> Array.sortBy (fun i -> System.Array.IndexOf(einsum.Result, left[i]))

            let dims = order |> Array.map (fun i -> System.Array.IndexOf(einsum.Result, left[i]))
            let ordered = TensorShapes.permute (List.ofArray order) (elements.Reduce(gone, sets))
            broadcast result dims ordered
        else
            let offsets (of': int[]) (shape: int[]) (over: int[]) : int[] =
                let strides = Shape.rowMajor shape

                let step label =
                    match System.Array.IndexOf(of', label) with
                    | -1 -> 0
                    | axis -> strides[axis]

                over
                |> Array.fold
                    (fun (found: int[]) label ->
                        found |> Array.collect (fun at -> Array.init (length label) (fun i -> at + i * step label)))
                    [| 0 |]

            let shapes = sets.Signature.Shape, (signatureOf operands[1 - k]).Shape
            let from, into = offsets labels (fst shapes) einsum.Result, offsets labels (fst shapes) summed
            let mark, marked = offsets others (snd shapes) einsum.Result, offsets others (snd shapes) summed
            let numbers, marks = sets.ToInt32Array(), marks.Value.ToInt32Array()

            elements.Gather(
                result,
                fun receive ->
                    for r in 0 .. from.Length - 1 do
                        for s in 0 .. into.Length - 1 do
                            if marks[mark[r] + marked[s]] <> 0 then receive r numbers[from[r] + into[s]]
            )

    let convolve (convolve: Convolve) (operands: PatternOperand[]) (k: int) (result: int[]) : Tensor voption =
        ConvolutionPairs.walk convolve (operands |> Array.map (fun o -> (signatureOf o).Shape)) result mostPairs
        |> ValueOption.map (fun pairs ->
            let sets = (setsOf operands[k]).ToInt32Array()

            let isThere: int -> bool =
                match support.Marks operands[1 - k].Atom with
                | ValueNone -> fun _ -> true
                | ValueSome marks ->
                    let marks = marks.ToInt32Array()
                    fun place -> marks[place] <> 0

            elements.Gather(
                result,
                fun receive ->
                    pairs (fun (struct (into, first, second)) ->
                        let from, other = if k = 0 then first, second else second, first
                        if isThere other then receive into sets[from])
            ))

    let windows (sums: WindowSums) (sets: Tensor) (result: int[]) : Tensor =
        let source = sets.Signature.Shape
        let numbers = sets.ToInt32Array()

        let pairs (axis: WindowAxis) =
            if sums.IsAdjoint then
                WindowPairs.by axis ConvolutionRole.Input ConvolutionRole.Output ConvolutionRole.Filters
            else
                WindowPairs.byOutput axis

        let down, across = pairs sums.Height, pairs sums.Width

        elements.Gather(
            result,
            fun receive ->
                for image in 0 .. result[0] - 1 do
                    for row in 0 .. result[1] - 1 do
                        for column in 0 .. result[2] - 1 do
                            for channel in 0 .. result[3] - 1 do
                                let into = ((image * result[1] + row) * result[2] + column) * result[3] + channel

                                for struct (y, _) in down[row] do
                                    for struct (x, _) in across[column] do
                                        let from = ((image * source[1] + y) * source[2] + x) * source[3] + channel
                                        receive into numbers[from]
        )

    /// The sets of the results of an equation with a linear operand.
    member _.Apply(equation: Equation, operands: PatternOperand[]) : Tensor[] =
        let shape = program.Variables[equation.Results[0]].Shape
        let first = operands[0]

        match equation.Primitive, single operands with
        | :? Elementwise as function', _ -> [| elementwise function'.Op operands shape |]
        | :? Structure.StopGradient, _ -> [| elements.Full(shape, 0) |]
        | :? Structure.Convert, _ when program.Variables[equation.Results[0]].DType = DType.Int32 ->
            [| elements.Full(shape, 0) |]
        | :? Structure.Convert, _ -> [| setsOf first |]
        | :? Sum as sum, _ -> [| elements.Reduce(sum.Axes, setsOf first) |]
        | :? Indexing.CumulativeSum as sum, _ -> [| elements.Cumulate(sum.Axis, sum.IsReversed, setsOf first) |]
        | :? Indexing.Gather as primitive, ValueSome 0 when operands[1].Atom.IsVariable ->
            [| gather primitive (setsOf first) operands[1].Atom shape |]
        | :? Indexing.ScatterAdd as primitive, ValueSome 1 ->
            [| scatter primitive first.Atom (setsOf operands[1]) shape |]
        | :? Einsum as einsum, ValueSome k -> [| contract einsum operands k shape |]
        | :? Convolve as primitive, ValueSome k ->
            match convolve primitive operands k shape with
            | ValueSome sets -> [| sets |]
            | ValueNone -> everything equation operands
        | :? WindowSums as sums, _ -> [| windows sums (setsOf first) shape |]
        | :? Decompositions.Solve, ValueSome 1 ->
            let rows = shape.Length - 2

            [|
                broadcast
                    shape
                    (Shape.otherAxes [| rows |] shape.Length)
                    (elements.Reduce([| rows |], setsOf operands[1]))
            |]
        | primitive, _ when ParameterViews.moves primitive && not (operands |> Array.exists isComputedIndex) ->
            moved equation operands
        | _ -> everything equation operands
