namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Sums, means, extremes and norms over axes, their positions, and softmax.
[<RequireQualifiedAccess>]
module internal Reductions =

    /// The axes of the node: an attribute at first, an input later. Where there are none, all axes.
    let private axes (call: Call) (value: Value) : int list =
        match call.TryIntegers("axes", 1) with
        | ValueSome axes when axes.Length > 0 -> call.Axes(value.Rank, axes)
        | _ when call.Node.Flag("noop_with_empty_axes", false) -> []
        | _ -> [ 0 .. value.Rank - 1 ]

    /// The axes that a reduction took away, with length 1.
    let private restore (axes: int list) (t: Tensor) : Tensor =
        (t, axes) ||> List.fold (fun t axis -> Tensor.unsqueeze axis t)

    let private reduce (f: int list -> Tensor -> Tensor) (call: Call) : Value list =
        let value = call.Input 0
        let axes = axes call value

        let reduced (t: Tensor) =
            let result = f axes t
            if call.Node.Flag("keepdims", true) then restore axes result else result

        match value with
        | AsTensor(kind, tensor) when ElementType.isFloating kind -> [ Value.Numbers(kind, reduced tensor) ]
        | whole -> [ Value.ofWhole whole.Kind (reduced (Value.tensor call.Context DType.Float64 whole)) ]

    /// The axes as one last axis.
    let private merged (axes: int list) (t: Tensor) : Tensor = TensorReductions.mergeLast "reduce" axes t

    /// The root of the sum of squares, with derivative 0 where all elements are 0.
    let private norm (axes: int list) (t: Tensor) : Tensor =
        let rows = merged axes t
        Tensor.Of(Norm(rows.Rank - 1), rows)

    let private sumOfSquares (axes: int list) (t: Tensor) : Tensor = Tensor.sumAxes axes (Tensor.square t)
    let private sumOfMagnitudes (axes: int list) (t: Tensor) : Tensor = Tensor.sumAxes axes (Tensor.abs t)
    let private logOfSum (axes: int list) (t: Tensor) : Tensor = Tensor.log (Tensor.sumAxes axes t)
    let private logSumExp (axes: int list) (t: Tensor) : Tensor = Tensor.logSumExp (merged axes t)

    /// The first or last extreme element of an axis. It has no derivative.
    let private position (argument: Tensor -> Tensor) (call: Call) : Value list =
        let value = call.Input 0
        let axis = call.Axis(value.Rank, call.Node.Int("axis", 0L))
        let dtype = if value.IsFloating then call.Context.DTypeOf value.Kind else DType.Float64
        let t = Value.tensor call.Context dtype value
        let isLast = call.Node.Flag("select_last_index", false)
        let ordered = merged [ axis ] (if isLast then Tensor.reverse axis t else t)
        let length = value.Shape[axis]

        if length = 0 then
            call.Fail $"axis {axis} of {Shape.show value.Shape} has no elements"

        let found = Tensor.convert DType.Float64 (argument ordered)
        let position = if isLast then float (length - 1) - found else found

        let kept =
            if call.Node.Flag("keepdims", true) then
                Tensor.unsqueeze axis position
            else
                position

        [ Value.ofWhole OnnxElementType.Int64 kept ]

    let private cumulativeSum (call: Call) : Value list =
        let value = call.Input 0

        let axis =
            match Value.integers (call.Input 1) with
            | [| axis |] -> call.Axis(value.Rank, axis)
            | _ -> call.Fail "one axis is needed"

        let isReverse, isExclusive = call.Node.Flag("reverse", false), call.Node.Flag("exclusive", false)
        let turned (t: Tensor) = if isReverse then Tensor.reverse axis t else t

        let sums (t: Tensor) =
            let inclusive = Tensor.cumulativeSum axis (turned t)
            turned (if isExclusive then inclusive - turned t else inclusive)

        if value.IsFloating then
            call.Result(sums (call.Tensor 0))
        else
            [ Value.ofWhole value.Kind (sums (Value.tensor call.Context DType.Float64 value)) ]

    /// A function of the last axis, over another one.
    let alongAxis (axis: int) (f: Tensor -> Tensor) (t: Tensor) : Tensor =
        if axis = t.Rank - 1 then
            f t
        else
            let order = List.removeAt axis [ 0 .. t.Rank - 1 ] @ [ axis ]
            let back = List.init t.Rank (fun i -> List.findIndex ((=) i) order)
            t |> Tensor.permute order |> f |> Tensor.permute back

    let private overAxis (f: Tensor -> Tensor) (call: Call) : Value list =
        let t = call.Tensor 0
        call.Result(alongAxis (call.Axis(t.Rank, call.Node.Int("axis", -1L))) f t)

    /// Before version 13 all axes from the given one on were one axis.
    let private overTrailingAxes (f: Tensor -> Tensor) (call: Call) : Value list =
        let t = call.Tensor 0
        let axis = call.Axis(t.Rank, call.Node.Int("axis", 1L))
        let lengths = List.ofArray t.Shape
        let rows = List.fold (*) 1 lengths[.. axis - 1]
        let columns = List.fold (*) 1 lengths[axis..]
        call.Result(t |> Tensor.reshape [ rows; columns ] |> f |> Tensor.reshape lengths)

    /// Axes are an attribute up to a version, and an input afterwards.
    let private reduction (lastWithAttribute: int) (name: string) (f: int list -> Tensor -> Tensor) : Operator list =
        [
            Operator.make name (1, 1) "axes:ints keepdims:int" (reduce f) |> Operator.until lastWithAttribute
            Operator.make name (1, 2) "keepdims:int noop_with_empty_axes:int" (reduce f)
            |> Operator.since (lastWithAttribute + 1)
            |> Operator.settings [ 1 ]
        ]

    let private positions name f =
        [
            Operator.make name (1, 1) "axis:int keepdims:int" (position f) |> Operator.until 11
            Operator.make name (1, 1) "axis:int keepdims:int select_last_index:int" (position f) |> Operator.since 12
        ]

    let private softmaxOf name f =
        [
            Operator.make name (1, 1) "axis:int" (overTrailingAxes f) |> Operator.until 12
            Operator.make name (1, 1) "axis:int" (overAxis f) |> Operator.since 13
        ]

    let operators: Operator list =
        List.concat
            [
                reduction 12 "ReduceSum" Tensor.sumAxes
                reduction 17 "ReduceMean" Tensor.meanAxes
                reduction 17 "ReduceMax" Tensor.maxAxes
                reduction 17 "ReduceMin" Tensor.minAxes
                reduction 17 "ReduceProd" Tensor.prodAxes
                reduction 17 "ReduceL1" sumOfMagnitudes
                reduction 17 "ReduceL2" norm
                reduction 17 "ReduceSumSquare" sumOfSquares
                reduction 17 "ReduceLogSum" logOfSum
                reduction 17 "ReduceLogSumExp" logSumExp
                positions "ArgMax" Tensor.argMax
                positions "ArgMin" Tensor.argMin
                [
                    Operator.make "CumSum" (2, 2) "exclusive:int reverse:int" cumulativeSum
                    |> Operator.since 11
                    |> Operator.settings [ 1 ]
                ]
                softmaxOf "Softmax" Tensor.softmax
                softmaxOf "LogSoftmax" Tensor.logSoftmax
            ]
