/// Reductions, positions of extremes, cumulative sums, and softmax.
module Curvature.Tests.Onnx.ReductionCases

open System

/// Axes are an attribute up to a version, and an input afterwards.
let private reduction (op: string) (lastWithAttribute: int) (number: Random -> int list -> float[]) : Case =
    Case.make op (fun opset random ->
        let shape = Draw.shape random 1 4
        let x = Fed(shape, number random shape)
        let keep = Draw.flag random "keepdims"
        let axes = if random.Next 4 = 0 then [] else Draw.axes random shape.Length

        match axes with
        | [] when opset > lastWithAttribute -> one (keep @ Draw.flag random "noop_with_empty_axes") [ x ]
        | [] -> one keep [ x ]
        | _ when opset <= lastWithAttribute -> one (("axes", Ints axes) :: keep) [ x ]
        | _ -> one keep [ x; whole axes ])

let private wholeSum: Case =
    Case.make "ReduceSum" (fun opset random ->
        let shape = Draw.shape random 1 3
        let x = FedWhole(shape, Draw.below random 9 shape)
        let axes = Draw.axes random shape.Length

        if opset <= 12 then
            one [ "axes", Ints axes ] [ x ]
        else
            one [] [ x; whole axes ])

let private position (op: string) : Case =
    Case.make op (fun opset random ->
        let shape = Draw.shape random 1 4
        let axis = [ "axis", Int(int64 (Draw.axis random shape.Length)) ]
        let last = if opset >= 12 then Draw.flag random "select_last_index" else []
        // From few numbers, so that some are equal.
        let values = Draw.below random 3 shape |> Array.map float
        one (axis @ Draw.flag random "keepdims" @ last) [ Fed(shape, values) ])

let private cumulativeSum: Case =
    Case.any "CumSum" (fun random ->
        let shape = Draw.shape random 1 3
        let axis = Whole([], [| int64 (Draw.axis random shape.Length) |])
        one (Draw.flag random "exclusive" @ Draw.flag random "reverse") [ Draw.fed random shape; axis ])

let private softmax (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 2 4
        one (maybe random ("axis", Int(int64 (Draw.axis random shape.Length)))) [ Draw.fed random shape ])

let cases: Case list =
    [
        reduction "ReduceSum" 12 Draw.numbers
        wholeSum
        reduction "ReduceMean" 17 Draw.numbers
        reduction "ReduceMax" 17 Draw.numbers
        reduction "ReduceMin" 17 Draw.numbers
        reduction "ReduceProd" 17 Draw.numbers
        reduction "ReduceL1" 17 Draw.numbers
        reduction "ReduceL2" 17 Draw.numbers
        reduction "ReduceSumSquare" 17 Draw.numbers
        reduction "ReduceLogSum" 17 Draw.positive
        reduction "ReduceLogSumExp" 17 Draw.numbers
        position "ArgMax"
        position "ArgMin"
        cumulativeSum
        softmax "Softmax"
        softmax "LogSoftmax"
    ]
