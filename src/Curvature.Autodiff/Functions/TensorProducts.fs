namespace Curvature

open System

/// Products of tensors.
module internal TensorProducts =

    let einsum (formula: string) (a: Tensor) (b: Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(formula, nameof formula)
        let parts = formula.Replace(" ", "").Split("->")
        let operands = parts[0].Split ','
        let isLabel c = c = ',' || Char.IsAsciiLetter c

        if
            parts.Length <> 2
            || operands.Length <> 2
            || parts[1].Contains ','
            || not (Seq.forall isLabel (String.Concat parts))
        then
            Fail.shape $"einsum: \"{formula}\" is not of the form \"ij,jk->ik\""

        let labels (text: string) = text.ToCharArray() |> Array.map (fun c -> int c - int 'a')
        let left, right, result = labels operands[0], labels operands[1], labels parts[1]

        for labels in [ left; right; result ] do
            if (Array.distinct labels).Length <> labels.Length then
                Fail.shape $"einsum: a label occurs twice in one operand, or in the result, of \"{formula}\""

        for (labels, others) in [ left, Array.append right result; right, Array.append left result ] do
            if labels |> Array.exists (fun label -> not (Array.contains label others)) then
                Fail.shape $"einsum: a label of \"{formula}\" occurs in one operand only; sum over that axis first"

        if result |> Array.exists (fun label -> not (Array.contains label left || Array.contains label right)) then
            Fail.shape $"einsum: the result of \"{formula}\" has a label that no operand has"

        Tensor.Of(Einsum(left, right, result), a, b)

    let matmul (a: Tensor) (b: Tensor) : Tensor =
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
        | _ -> Fail.shape $"matmul: shapes {shapes ()} do not fit; a vector goes with a matrix"

    let dot (a: Tensor) (b: Tensor) : Tensor =
        if a.Signature.Shape <> b.Signature.Shape then
            Fail.shape $"dot: shapes {a.ShapeText} and {b.ShapeText} differ"

        let labels = [| 0 .. a.Rank - 1 |]
        Tensor.Of(Einsum(labels, labels, [||]), a, b)
