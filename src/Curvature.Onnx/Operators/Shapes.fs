namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Operators that give elements another shape, repeat them, or make them of a shape.
[<RequireQualifiedAccess>]
module internal Shapes =

    let private moved (f: Tensor -> Tensor) (call: Call) : Value list = [ Value.move f (call.Input 0) ]

    let private reshape (call: Call) : Value list =
        let lengths = (call.Input 0).Shape
        let asked = Value.integers (call.Input 1)
        let copiesZero = not (call.Node.Flag("allowzero", false))

        let length axis (number: int64) =
            if number = 0L && copiesZero then
                if axis >= lengths.Length then
                    call.Fail $"length {axis} is to be copied from a value of {lengths.Length} axes"

                lengths[axis]
            else
                call.Small("a length", number)

        moved (Tensor.reshape (asked |> Array.mapi length |> List.ofArray)) call

    let private transpose (call: Call) : Value list =
        let rank = (call.Input 0).Rank

        let order =
            match call.Node.TryInts "perm" with
            | ValueSome order -> order |> Array.map (fun axis -> call.Axis(rank, axis)) |> List.ofArray
            | ValueNone -> List.rev [ 0 .. rank - 1 ]

        moved (Tensor.permute order) call

    let private flatten (call: Call) : Value list =
        let lengths = List.ofArray (call.Input 0).Shape
        let axis = call.Node.Int("axis", 1L)

        let axis =
            if axis = int64 lengths.Length then
                lengths.Length
            else
                call.Axis(lengths.Length, axis)

        let size = List.fold (*) 1
        moved (Tensor.reshape [ size lengths[.. axis - 1]; size lengths[axis..] ]) call

    let private squeeze (call: Call) : Value list =
        let value = call.Input 0

        let axes =
            match call.TryIntegers("axes", 1) with
            | ValueSome axes -> call.Axes(value.Rank, axes)
            | ValueNone -> [ 0 .. value.Rank - 1 ] |> List.filter (fun axis -> value.Shape[axis] = 1)

        moved (fun t -> List.foldBack Tensor.squeeze axes t) call

    let private unsqueeze (call: Call) : Value list =
        match call.TryIntegers("axes", 1) with
        | ValueNone -> call.Fail "the axes are missing"
        | ValueSome axes ->
            let axes = call.Axes((call.Input 0).Rank + axes.Length, axes)
            moved (fun t -> List.fold (fun t axis -> Tensor.unsqueeze axis t) t axes) call

    /// The shapes of both broadcast: an axis may be longer in the value than what is asked for.
    let private expand (call: Call) : Value list =
        let asked = Value.integers (call.Input 1) |> Array.map (fun length -> call.Small("a length", length))
        let shape = Shape.broadcast call.Node.Label (call.Input 0).Shape asked
        call.Context.RequireRoom(call.Node.Label, shape |> Array.map int64)
        moved (Tensor.broadcastTo (List.ofArray shape)) call

    let private tile (call: Call) : Value list =
        let value = call.Input 0
        let repeats = Value.integers (call.Input 1)

        if repeats.Length <> value.Rank then
            call.Fail $"{repeats.Length} repetitions are given for {value.Rank} axes"

        call.Context.RequireRoom(
            call.Node.Label,
            Array.map2 (fun length count -> int64 length * count) value.Shape repeats
        )

        // An axis before the repeated one makes of a repetition a broadcast.
        let alongAxis (t: Tensor) (axis: int, count: int64) =
            if count = 1L then
                t
            else
                let lengths = List.ofArray t.Shape
                let spread = List.insertAt axis (int count) lengths
                let joined = List.updateAt axis (int count * lengths[axis]) lengths
                t |> Tensor.unsqueeze axis |> Tensor.broadcastTo spread |> Tensor.reshape joined

        moved (fun t -> Seq.indexed repeats |> Seq.fold alongAxis t) call

    let private shapeOf (call: Call) : Value list =
        let lengths = (call.Input 0).Shape |> Array.map int64
        let rank = int64 lengths.Length

        let bound (name: string) fallback =
            let number = call.Node.Int(name, fallback)
            int (Math.Clamp((if number < 0L then number + rank else number), 0L, rank))

        let first, last = bound "start" 0L, bound "end" rank
        [ Value.list (if first < last then lengths[first .. last - 1] else [||]) ]

    let private sizeOf (call: Call) : Value list =
        let size = (call.Input 0).Shape |> Array.fold (fun size length -> size * int64 length) 1L
        [ Value.host OnnxElementType.Int64 [||] [| size |] ]

    let private identity (call: Call) : Value list = [ call.Input 0 ]

    /// In inference nothing is dropped. The mask, where it is asked for, is true everywhere.
    let private dropout (call: Call) : Value list =
        match call.TryInput 2 with
        | ValueSome training when Value.integers training |> Array.exists ((<>) 0L) ->
            call.Fail "it is in training mode, in which results are random; export the model for inference"
        | _ ->
            let value = call.Input 0
            let lengths = value.Shape |> Array.map int64
            [ value; Value.full call.Context OnnxElementType.Bool lengths 1.0 ]

    let private constant (call: Call) : Value list =
        let node = call.Node

        let reals (shape: int list) (numbers: float[]) =
            let dtype = call.Context.DTypeOf OnnxElementType.Float32
            let tensor = Tensor.ofArray shape numbers |> Tensor.convert dtype |> Tensor.toDevice call.Context.Device
            [ Value.Numbers(OnnxElementType.Float32, tensor) ]

        match node.TryTensor "value", node.TryInts "value_ints", node.TryFloats "value_floats" with
        | ValueSome value, _, _ -> [ Value.ofConstant call.Context value ]
        | _, ValueSome numbers, _ -> [ Value.list numbers ]
        | _, _, ValueSome numbers -> reals [ numbers.Length ] numbers
        | _ when node.Has "value_int" -> [ Value.host OnnxElementType.Int64 [||] [| node.Int("value_int", 0L) |] ]
        | _ when node.Has "value_float" -> reals [] [| node.Float("value_float", 0.0) |]
        | _ -> call.Fail "it has no value"

    let private constantOfShape (call: Call) : Value list =
        let lengths = Value.integers (call.Input 0)

        match call.Node.TryTensor "value" with
        | ValueNone -> [ Value.full call.Context OnnxElementType.Float32 lengths 0.0 ]
        | ValueSome(OnHost(kind, { Numbers = [| number |] })) -> [ Value.full call.Context kind lengths (float number) ]
        | ValueSome value when value.IsFloating && value.Shape |> Array.forall ((=) 1) ->
            let number = (Value.reals value)[0]
            [ Value.full call.Context value.Kind lengths number ]
        | ValueSome value -> call.Fail $"its value has shape {Shape.show value.Shape}, and one element is needed"

    let private range (call: Call) : Value list =
        let start, limit, delta = call.Input 0, call.Input 1, call.Input 2
        let number (value: Value) = (Value.reals value)[0]
        let step = number delta
        if step = 0.0 then call.Fail "the step is 0"
        let count = max 0.0 (Math.Ceiling((number limit - number start) / step))
        if Double.IsNaN count then call.Fail "its bounds are not numbers"
        call.Context.RequireRoom(call.Node.Label, [ int64 count ])

        if start.IsFloating then
            let dtype = call.Context.DTypeOf start.Kind
            let numbers = Array.init (int count) (fun i -> number start + float i * step)
            let tensor = Tensor.ofArray [ numbers.Length ] numbers |> Tensor.convert dtype
            [ Value.Numbers(start.Kind, Tensor.toDevice call.Context.Device tensor) ]
        else
            let first, step = (Value.integers start)[0], (Value.integers delta)[0]
            [ Value.host start.Kind [| int count |] (Array.init (int count) (fun i -> first + int64 i * step)) ]

    let private refuseConstant (node: Node) =
        if node.Has "value_string" || node.Has "value_strings" || node.Has "sparse_value" then
            ValueSome "holds text or a sparse tensor, which is not supported"
        else
            ValueNone

    let operators: Operator list =
        [
            Operator.make "Reshape" (2, 2) "" reshape |> Operator.until 13
            Operator.make "Reshape" (2, 2) "allowzero:int" reshape |> Operator.since 14
            Operator.make "Transpose" (1, 1) "perm:ints" transpose
            Operator.make "Flatten" (1, 1) "axis:int" flatten
            Operator.make "Squeeze" (1, 1) "axes:ints" squeeze |> Operator.until 12
            Operator.make "Squeeze" (1, 2) "" squeeze |> Operator.since 13
            Operator.make "Unsqueeze" (1, 1) "axes:ints" unsqueeze |> Operator.until 12
            Operator.make "Unsqueeze" (2, 2) "" unsqueeze |> Operator.since 13
            Operator.make "Expand" (2, 2) "" expand
            Operator.make "Tile" (2, 2) "" tile
            Operator.make "Shape" (1, 1) "" shapeOf |> Operator.until 14
            Operator.make "Shape" (1, 1) "start:int end:int" shapeOf |> Operator.since 15
            Operator.make "Size" (1, 1) "" sizeOf
            Operator.make "Identity" (1, 1) "" identity
            Operator.make "Dropout" (1, 1) "ratio:float" dropout |> Operator.until 11 |> Operator.outputs 2
            Operator.make "Dropout" (1, 3) "seed:int" dropout
            |> Operator.since 12
            |> Operator.outputs 2
            |> Operator.settings [ 1; 2 ]
            Operator.make "Constant" (0, 0) "value:tensor" constant |> Operator.until 11
            Operator.make
                "Constant"
                (0, 0)
                ("value:tensor value_int:int value_ints:ints value_float:float value_floats:floats "
                 + "value_string:text value_strings:texts")
                constant
            |> Operator.since 12
            |> Operator.refusing refuseConstant
            Operator.make "ConstantOfShape" (1, 1) "value:tensor" constantOfShape |> Operator.since 9
            Operator.make "Range" (3, 3) "" range |> Operator.since 11 |> Operator.settings [ 0; 1; 2 ]
        ]
