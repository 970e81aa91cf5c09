namespace Curvature

open System
open System.Collections.Generic

/// Products of tensors.
module internal TensorProducts =

    /// The labels of each operand and of the result.
    let private parse (formula: string) (count: int) : int[] list * int[] =
        ArgumentNullException.ThrowIfNull(formula, nameof formula)
        let parts = formula.Replace(" ", "").Split("->")
        let isLabel c = c = ',' || Char.IsAsciiLetter c

        if parts.Length <> 2 || parts[1].Contains ',' || not (Seq.forall isLabel (String.Concat parts)) then
            Fail.shape $"einsum: \"{formula}\" is not of the form \"ij,jk->ik\""

        let operands = parts[0].Split ','

        if operands.Length <> count then
            Fail.shape $"einsum: \"{formula}\" names {operands.Length} operands, and {count} were given"

        let labels (text: string) = text.ToCharArray() |> Array.map (fun c -> int c - int 'a')
        let operands, result = operands |> Array.map labels |> List.ofArray, labels parts[1]

        for labels in result :: operands do
            if (Array.distinct labels).Length <> labels.Length then
                Fail.shape $"einsum: a label occurs twice in one operand, or in the result, of \"{formula}\""

        if result |> Array.exists (fun label -> not (List.exists (Array.contains label) operands)) then
            Fail.shape $"einsum: the result of \"{formula}\" has a label that no operand has"

        operands, result

    /// The length of each label, which is the same in every operand that has it.
    let private lengths (formula: string) (operands: (int[] * Tensor) list) : Dictionary<int, int> =
        let lengths = Dictionary<int, int>()

        for labels, t in operands do
            let shape = t.Signature.Shape

            if labels.Length <> shape.Length then
                Fail.shape
                    $"einsum: \"{formula}\" has {labels.Length} labels for the {shape.Length} axes of {t.ShapeText}"

            for label, length in Array.zip labels shape do
                match lengths.TryGetValue label with
                | true, other when other <> length ->
                    Fail.shape (
                        $"einsum: axis {char (int 'a' + label)} of \"{formula}\" has length {other} in one operand "
                        + $"and {length} in another"
                    )
                | _ -> lengths[label] <- length

        lengths

    /// An operand without the axes that no other one and not the result has: these are summed over.
    let private sumAlone (isWanted: int -> bool) (labels: int[], t: Tensor) : int[] * Tensor =
        let alone =
            [ for axis in 0 .. labels.Length - 1 -> axis ] |> List.filter (fun axis -> not (isWanted labels[axis]))

        Array.filter isWanted labels, TensorSelection.sumAxes alone t

    /// Contracts two operands, and the result with the others. The pair is the one that takes the fewest
    /// multiplications; of equal ones that with the smallest result, and of these the first.
    let rec private contract (length: int -> float) (result: int[]) (operands: (int[] * Tensor) list) : Tensor =
        match operands with
        | [] -> Fail.shape "einsum: one operand at least is needed"
        | [ labels, t ] -> t |> TensorShapes.permute [ for label in result -> Array.IndexOf(labels, label) ]
        | [ left, a; right, b ] -> Tensor.Of(Einsum(left, right, result), a, b)
        | _ ->
            let indexed = List.indexed operands
            let others i j = indexed |> List.filter (fun (k, _) -> k <> i && k <> j) |> List.map snd

            let product i j =
                let union = Array.append (fst operands[i]) (fst operands[j]) |> Array.distinct
                let wanted = Array.concat (result :: List.map fst (others i j))
                union, union |> Array.filter (fun label -> Array.contains label wanted)

            let size labels = labels |> Array.fold (fun size label -> size * length label) 1.0

            let cost (i, j) =
                let union, kept = product i j
                struct (size union, size kept)

            let pairs =
                [
                    for i in 0 .. operands.Length - 2 do
                        for j in i + 1 .. operands.Length - 1 -> i, j
                ]

            let i, j = List.minBy cost pairs
            let (left, a), (right, b), (_, kept) = operands[i], operands[j], product i j
            contract length result ((kept, Tensor.Of(Einsum(left, right, kept), a, b)) :: others i j)

    let einsumOf (formula: string) (operands: Tensor list) : Tensor =
        let labels, result = parse formula operands.Length

        let isWanted i label =
            let hasLabel (j, labels) = j <> i && Array.contains label labels
            Array.contains label result || List.exists hasLabel (List.indexed labels)

        match labels, operands with
        | [ left; right ], [ a; b ] when Array.forall (isWanted 0) left && Array.forall (isWanted 1) right ->
            Tensor.Of(Einsum(left, right, result), a, b)
        | _ ->
            let operands = List.zip labels operands
            let lengths = lengths formula operands

            operands
            |> List.mapi (fun i operand -> sumAlone (isWanted i) operand)
            |> contract (fun label -> float lengths[label]) result

    let einsum (formula: string) (a: Tensor) (b: Tensor) : Tensor = einsumOf formula [ a; b ]

    let rec matmul (a: Tensor) (b: Tensor) : Tensor =
        let shapes () = $"{a.ShapeText} and {b.ShapeText}"

        match a.Rank, b.Rank with
        | 0, _
        | _, 0 -> Fail.shape $"matmul: matrices are needed, and the shapes are {shapes ()}"
        | 1, 1 -> einsum "i,i->" a b
        | 1, 2 -> einsum "i,ij->j" a b
        | 2, 1 -> einsum "ij,j->i" a b
        | 2, 2 -> einsum "ij,jk->ik" a b
        | m, 2 ->
            let labels = [| 0 .. m - 1 |]
            Tensor.Of(Einsum(labels, [| m - 1; m |], Array.append labels[.. m - 2] [| m |]), a, b)
        | m, n when m >= 2 && n >= 2 ->
            let leading (t: Tensor) = t.Signature.Shape[.. t.Rank - 3]
            let batch = Shape.broadcast "matmul" (leading a) (leading b)
            let expand (t: Tensor) = t.BroadcastTo(Array.append batch t.Signature.Shape[t.Rank - 2 ..])
            let labels = [| 0 .. batch.Length - 1 |]
            let i, j, k = batch.Length, batch.Length + 1, batch.Length + 2

            Tensor.Of(
                Einsum(Array.append labels [| i; j |], Array.append labels [| j; k |], Array.append labels [| i; k |]),
                expand a,
                expand b
            )
        | 1, _ -> TensorShapes.squeeze -2 (matmul (TensorShapes.unsqueeze 0 a) b)
        | _ -> TensorShapes.squeeze -1 (matmul a (TensorShapes.unsqueeze 1 b))

    let dot (a: Tensor) (b: Tensor) : Tensor =
        if a.Signature.Shape <> b.Signature.Shape then
            Fail.shape $"dot: shapes {a.ShapeText} and {b.ShapeText} differ"

        let labels = [| 0 .. a.Rank - 1 |]
        Tensor.Of(Einsum(labels, labels, [||]), a, b)
