namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Products in Einstein's notation as ONNX has them: with ellipses, labels that come twice in one operand, axes of
/// length 1 that broadcast, and results that are not written down.
[<RequireQualifiedAccess>]
module internal EinsumFormula =

    /// What stands for the axes of an ellipsis, innermost last. Formulas have letters alone.
    let private ellipsisLabel (fromEnd: int) = char (0x100 + fromEnd)

    let private isEllipsis (label: char) = label >= char 0x100

    /// The labels of an operand of so many axes.
    let private labels (call: Call) (text: string) (rank: int) : char list =
        let letters = text.Replace("...", "")

        if letters |> Seq.exists (fun c -> not (Char.IsAsciiLetter c)) || text.Split("...").Length > 2 then
            call.Fail $"the labels \"{text}\" cannot be read"

        match text.IndexOf("...", StringComparison.Ordinal) with
        | -1 -> List.ofSeq letters
        | place ->
            let hidden = rank - letters.Length
            if hidden < 0 then call.Fail $"the labels \"{text}\" do not fit {rank} axes"
            let inner = List.init hidden (fun i -> ellipsisLabel (hidden - 1 - i))
            List.ofSeq letters[.. place - 1] @ inner @ List.ofSeq letters[place..]

    /// An operand in which no label comes twice: the diagonal of the axes that share one.
    let rec private diagonals (labels: char list, t: Tensor) : char list * Tensor =
        match labels |> List.countBy id |> List.tryFind (fun (_, count) -> count > 1) with
        | None -> labels, t
        | Some(label, _) ->
            let places = labels |> List.indexed |> List.filter (fun (_, l) -> l = label) |> List.map fst
            let first, second = places[0], places[1]
            let others = [ 0 .. labels.Length - 1 ] |> List.filter (fun axis -> axis <> first && axis <> second)
            let square = Tensor.permute (others @ [ first; second ]) t

            if square.Shape[square.Rank - 1] <> square.Shape[square.Rank - 2] then
                Fail.shape $"einsum: the label {label} has two lengths in {Shape.show t.Shape}"

            diagonals ((others |> List.map (fun axis -> labels[axis])) @ [ label ], Tensor.diagonal square)

    /// An operand without the axes of length 1 whose label is longer in another one.
    let private withoutBroadcast (length: char -> int) (labels: char list, t: Tensor) : char list * Tensor =
        let isRepeated axis = t.Shape[axis] = 1 && length labels[axis] > 1
        let repeated = [ 0 .. labels.Length - 1 ] |> List.filter isRepeated
        let kept = labels |> List.indexed |> List.filter (fun (axis, _) -> not (isRepeated axis)) |> List.map snd
        kept, List.foldBack Tensor.squeeze repeated t

    /// The labels of the result where the formula has none: those of an ellipsis, then those that come once, in order.
    let private implicitResult (operands: char list list) : char list =
        let all = List.concat operands
        let hidden = all |> List.filter isEllipsis |> List.distinct |> List.sortDescending

        hidden
        @ (all
           |> List.filter (isEllipsis >> not)
           |> List.countBy id
           |> List.filter (fun (_, count) -> count = 1)
           |> List.map fst
           |> List.sort)

    /// The library's formula has letters alone.
    let private renamed (labels: char list) : char -> char =
        let letters = [ 'a' .. 'z' ] @ [ 'A' .. 'Z' ]

        if labels.Length > letters.Length then
            Fail.shape $"einsum: {labels.Length} labels are more than the {letters.Length} that there are"

        let names = dict (List.zip labels letters[.. labels.Length - 1])
        fun label -> names[label]

    let private run (call: Call) : Value list =
        let formula = call.Node.Text("equation", "").Replace(" ", "")
        let parts = formula.Split "->"
        let texts = parts[0].Split ','

        if parts.Length > 2 || texts.Length <> call.Inputs.Length then
            call.Fail $"the equation \"{formula}\" does not fit its {call.Inputs.Length} inputs"

        let tensors = [ for i in 0 .. texts.Length - 1 -> call.Tensor i ]
        let written = List.map2 (fun text (t: Tensor) -> labels call text t.Rank) (List.ofArray texts) tensors

        for labels, t in List.zip written tensors do
            if labels.Length <> t.Rank then
                call.Fail $"the equation \"{formula}\" does not fit an input of shape {Shape.show t.Shape}"

        let operands = List.zip written tensors |> List.map diagonals

        let length (label: char) =
            operands
            |> Seq.collect (fun (labels, t) -> Seq.zip labels t.Shape)
            |> Seq.filter (fun (other, _) -> other = label)
            |> Seq.fold (fun longest (_, length) -> max longest length) 0

        let result =
            if parts.Length = 1 then
                implicitResult written
            else
                let hidden = written |> List.map (List.filter isEllipsis >> List.length) |> List.max
                labels call parts[1] (parts[1].Replace("...", "").Length + hidden)

        call.Context.RequireRoom(call.Node.Label, result |> List.map (length >> int64))
        let reduced = operands |> List.map (withoutBroadcast length)
        let name = renamed (reduced |> List.collect fst |> List.append result |> List.distinct)
        let text (labels: char list) = labels |> List.map name |> Array.ofList |> String
        let product = $"""{String.Join(",", reduced |> List.map (fst >> text))}->{text result}"""
        call.Result(Tensor.einsumOf product (List.map snd reduced))

    let operators: Operator list =
        [ Operator.make "Einsum" (1, System.Int32.MaxValue) "equation:text" run |> Operator.since 12 ]
