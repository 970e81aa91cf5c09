namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// What operators on elements share: floating point goes to the library's functions, whole numbers that are known are
/// computed on the host, and those that are not in Float64, which holds them to 2⁵³.
[<RequireQualifiedAccess>]
module internal Elementwise =

    /// The shape that two broadcast to.
    let private common (call: Call) (a: int[]) (b: int[]) : int[] =
        let shape = Shape.broadcast call.Node.Label a b
        call.Context.RequireRoom(call.Node.Label, shape |> Array.map int64)
        shape

    let private spread (shape: int[]) (value: Value) : int64[] =
        if value.Shape = shape then
            Value.integers value
        else
            value |> Value.move (Tensor.broadcastTo (List.ofArray shape)) |> Value.integers

    let private isHost (value: Value) =
        match value with
        | Value.Host _ -> true
        | Value.Numbers _
        | Value.Images _ -> false

    /// How a value is seen beside images of so many channels whose channels are last: images, a single number, or a
    /// number for each channel. Nothing where all axes have to be in the order of the file.
    let private besideImages (channels: int) (value: Value) : Tensor voption =
        match value with
        | Value.Images(_, tensor) -> ValueSome tensor
        | Value.Numbers(_, tensor) ->
            match tensor.Shape with
            | [||]
            | [| 1 |]
            | [| 1; 1; 1; 1 |] -> ValueSome(Tensor.reshape [] tensor)
            | [| c; 1; 1 |]
            | [| 1; c; 1; 1 |] when c = channels -> ValueSome(Tensor.reshape [ c ] tensor)
            | _ -> ValueNone
        | Value.Host _ -> ValueNone

    /// Both values beside each other as images, where one is and the other can be.
    let private asImages (a: Value) (b: Value) : (Tensor * Tensor) voption =
        match a, b with
        | Value.Images(_, tensor), _
        | _, Value.Images(_, tensor) ->
            let channels = tensor.Shape[3]

            match besideImages channels a, besideImages channels b with
            | ValueSome left, ValueSome right -> ValueSome(left, right)
            | _ -> ValueNone
        | _ -> ValueNone

    /// A function of the elements of one value.
    let unary (onTensor: Tensor -> Tensor) (onInteger: int64 -> int64) (call: Call) : Value list =
        match call.Input 0 with
        | Value.Numbers(kind, tensor) when ElementType.isFloating kind -> [ Value.Numbers(kind, onTensor tensor) ]
        | Value.Images(kind, tensor) -> [ Value.Images(kind, onTensor tensor) ]
        | Value.Host(kind, array) ->
            [ Value.host kind array.Shape (array.Numbers |> Array.map (onInteger >> ElementType.wrap kind)) ]
        | Value.Numbers(kind, _) as value ->
            [ Value.ofWhole kind (onTensor (Value.tensor call.Context DType.Float64 value)) ]

    /// A function of floating point alone.
    let real (f: Tensor -> Tensor) (call: Call) : Value list =
        match call.Input 0 with
        | Value.Images(kind, tensor) -> [ Value.Images(kind, f tensor) ]
        | _ -> call.Result(f (call.Tensor 0))

    let private sameKinds (call: Call) (a: Value) (b: Value) =
        if a.Kind <> b.Kind then
            call.Fail $"its inputs are {a.Kind} and {b.Kind}, and must be of the same type"

    /// A function of pairs of elements, with broadcasting.
    let pair
        (onTensors: Tensor -> Tensor -> Tensor)
        (onIntegers: int64 -> int64 -> int64)
        (call: Call)
        (a: Value)
        (b: Value)
        : Value =
        sameKinds call a b
        let shape = common call a.Shape b.Shape

        match asImages a b, a, b with
        | ValueSome(left, right), _, _ -> Value.Images(a.Kind, onTensors left right)
        | _, AsTensor(kind, left), AsTensor(_, right) when ElementType.isFloating kind ->
            Value.Numbers(kind, onTensors left right)
        | _ when isHost a && isHost b ->
            let numbers = Array.map2 onIntegers (spread shape a) (spread shape b)
            Value.host a.Kind shape (numbers |> Array.map (ElementType.wrap a.Kind))
        | _ ->
            let wide = Value.tensor call.Context DType.Float64
            Value.ofWhole a.Kind (onTensors (wide a) (wide b))

    let binary onTensors onIntegers (call: Call) : Value list =
        [ pair onTensors onIntegers call (call.Input 0) (call.Input 1) ]

    /// A function of any number of values, two at a time.
    let variadic onTensors onIntegers (call: Call) : Value list =
        [ call.Inputs |> List.reduce (pair onTensors onIntegers call) ]

    /// A truth value for pairs of elements.
    let compare (onTensors: Tensor -> Tensor -> Tensor) (onIntegers: int64 -> int64 -> bool) (call: Call) : Value list =
        let a, b = call.Input 0, call.Input 1
        sameKinds call a b
        let shape = common call a.Shape b.Shape

        if isHost a && isHost b then
            let truth left right = if onIntegers left right then 1L else 0L
            [ Value.host OnnxElementType.Bool shape (Array.map2 truth (spread shape a) (spread shape b)) ]
        else
            let dtype = if a.IsFloating then call.Context.DTypeOf a.Kind else DType.Float64
            let tensor = Value.tensor call.Context dtype
            [ Value.Numbers(OnnxElementType.Bool, onTensors (tensor a) (tensor b)) ]

    /// The elements of one value or another, with broadcasting of all three.
    let choose (call: Call) : Value list =
        let mask, a, b = call.Input 0, call.Input 1, call.Input 2
        sameKinds call a b
        let shape = common call (common call mask.Shape a.Shape) b.Shape

        if isHost mask && isHost a && isHost b then
            let choice condition left right = if condition <> 0L then left else right

            [
                Value.host a.Kind shape (Array.map3 choice (spread shape mask) (spread shape a) (spread shape b))
            ]
        else
            let dtype = if a.IsFloating then call.Context.DTypeOf a.Kind else DType.Float64
            let tensor = Value.tensor call.Context dtype
            let chosen = Tensor.where (tensor mask) (tensor a) (tensor b)

            [
                (if a.IsFloating then
                     Value.Numbers(a.Kind, chosen)
                 else
                     Value.ofWhole a.Kind chosen)
            ]

/// Add … Pow, roots, exponentials, rounding, and whole-number arithmetic.
[<RequireQualifiedAccess>]
module internal Arithmetic =

    /// The quotient without its fraction, as ONNX and C divide whole numbers.
    let private truncated (x: Tensor) : Tensor = Tensor.sign x * Tensor.floor (Tensor.abs x)

    let private divide (call: Call) : Value list =
        if (call.Input 0).IsFloating then
            Elementwise.binary (/) (/) call
        else
            let whole (a: int64) (b: int64) =
                if b = 0L then call.Fail "a whole number is divided by 0"
                elif b = -1L then -a
                else a / b

            Elementwise.binary (fun a b -> truncated (a / b)) whole call

    /// The exponent may be of another type, and the result has that of the base.
    let private power (call: Call) : Value list =
        let value, exponent = call.Input 0, call.Input 1

        match value with
        | AsTensor(kind, x) when ElementType.isFloating kind ->
            let shape = Shape.broadcast call.Node.Label value.Shape exponent.Shape
            call.Context.RequireRoom(call.Node.Label, shape |> Array.map int64)

            let result =
                if shape = value.Shape && exponent.Shape |> Array.forall ((=) 1) && Value.isKnown exponent then
                    Tensor.Pow(x, (Value.reals exponent)[0])
                else
                    Tensor.Pow(x, Value.tensor call.Context x.DType exponent)

            [ Value.Numbers(kind, result) ]
        | _ ->
            let wide = Value.tensor call.Context DType.Float64
            [ Value.ofWhole value.Kind (truncated (Tensor.Pow(wide value, wide exponent))) ]

    /// With fmod the remainder has the sign of the dividend, without it that of the divisor.
    let private remainder (call: Call) : Value list =
        let hasSignOfDividend = call.Node.Flag("fmod", false)

        let ofTensors (a: Tensor) (b: Tensor) =
            let quotient = Tensor.stopGradient (a / b)
            a - b * (if hasSignOfDividend then truncated quotient else Tensor.floor quotient)

        let ofIntegers (a: int64) (b: int64) =
            if b = 0L then
                call.Fail "a whole number is divided by 0"
            elif b = -1L then
                0L
            else
                let r = a % b
                if hasSignOfDividend || r = 0L || (r < 0L) = (b < 0L) then r else r + b

        Elementwise.binary ofTensors ofIntegers call

    let private mean (call: Call) : Value list =
        match Elementwise.variadic (+) (+) call with
        | [ AsTensor(kind, sum) ] -> [ Value.Numbers(kind, sum / float call.Inputs.Length) ]
        | _ -> call.Fail "a mean is of floating point"

    let private absolute (x: int64) = if x < 0L then -x else x

    let private real name (f: Tensor -> Tensor) =
        Operator.make name (1, 1) "" (Elementwise.real f) |> Operator.takingImages

    let private unary name f g = Operator.make name (1, 1) "" (Elementwise.unary f g) |> Operator.takingImages

    let private binary name f g = Operator.make name (2, 2) "" (Elementwise.binary f g) |> Operator.takingImages

    let private variadic name f g = Operator.make name (1, Int32.MaxValue) "" (Elementwise.variadic f g)

    let operators: Operator list =
        [
            binary "Add" (+) (+)
            binary "Sub" (-) (-)
            binary "Mul" (*) (*)
            Operator.make "Div" (2, 2) "" divide
            Operator.make "Pow" (2, 2) "" power |> Operator.settings [ 1 ]
            Operator.make "Mod" (2, 2) "fmod:int" remainder |> Operator.since 10
            variadic "Min" Tensor.minimum (fun a b -> min a b)
            variadic "Max" Tensor.maximum (fun a b -> max a b)
            variadic "Sum" (+) (+)
            Operator.make "Mean" (1, Int32.MaxValue) "" mean
            unary "Abs" Tensor.abs absolute
            unary "Neg" (~-) (~-)
            unary "Sign" Tensor.sign (fun x -> int64 (sign x)) |> Operator.since 9
            real "Sqrt" Tensor.sqrt
            real "Exp" Tensor.exp
            real "Log" Tensor.log
            real "Reciprocal" (fun x -> 1.0 / x)
            real "Floor" Tensor.floor
            real "Ceil" Tensor.ceil
            real "Round" Tensor.round |> Operator.since 11
            real "Sin" Tensor.sin
            real "Cos" Tensor.cos
            real "Tan" Tensor.tan
            real "Asin" Tensor.asin
            real "Acos" Tensor.acos
            real "Atan" Tensor.atan
            real "Sinh" Tensor.sinh |> Operator.since 9
            real "Cosh" Tensor.cosh |> Operator.since 9
        ]
