namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp

/// Comparisons, truth values, and conversions between element types. None of them has a derivative but Where, and
/// Cast between floating point.
[<RequireQualifiedAccess>]
module internal Logic =

    /// 1 where an element is not 0.
    let private truth (call: Call) (value: Value) : Value =
        match value with
        | OnHost(_, array) ->
            Value.host
                OnnxElementType.Bool
                array.Shape
                (array.Numbers |> Array.map (fun x -> if x = 0L then 0L else 1L))
        | AsTensor(OnnxElementType.Bool, tensor) when tensor.DType <> DType.Int32 -> value
        | AsTensor(kind, tensor) ->
            let dtype =
                match tensor.DType with
                | DType.Int32 -> DType.Float64
                | dtype -> dtype

            let x = Value.tensor call.Context dtype (Value.Numbers(kind, tensor))
            Value.Numbers(OnnxElementType.Bool, 1.0 - Tensor.equal x 0.0)

    let private connective (onTensors: Tensor -> Tensor -> Tensor) (onIntegers: int64 -> int64 -> int64) (call: Call) =
        let both f (a: Tensor) (b: Tensor) = f a (Tensor.convert a.DType b)

        match truth call (call.Input 0), truth call (call.Input 1) with
        | AsTensor(kind, a), AsTensor(_, b) -> [ Value.Numbers(kind, both onTensors a b) ]
        | a, b -> [ Elementwise.pair (both onTensors) onIntegers call a b ]

    let private negation (call: Call) =
        match truth call (call.Input 0) with
        | OnHost(kind, array) -> [ Value.host kind array.Shape (array.Numbers |> Array.map (fun x -> 1L - x)) ]
        | AsTensor(kind, tensor) -> [ Value.Numbers(kind, 1.0 - tensor) ]

    let private isNaN (call: Call) = [ Value.Numbers(OnnxElementType.Bool, Tensor.isNaN (call.Tensor 0)) ]

    let private isInf (call: Call) =
        let x = call.Tensor 0

        let above =
            if call.Node.Flag("detect_positive", true) then
                Tensor.equal x infinity
            else
                Tensor.zerosLike x

        let below =
            if call.Node.Flag("detect_negative", true) then
                Tensor.equal x -infinity
            else
                Tensor.zerosLike x

        [ Value.Numbers(OnnxElementType.Bool, above + below) ]

    let private fractionless (x: Tensor) : Tensor =
        let x = Tensor.stopGradient x
        Tensor.sign x * Tensor.floor (Tensor.abs x)

    /// The value in another element type. To whole numbers the fraction is cut off.
    let convert (call: Call) (target: OnnxElementType) (value: Value) : Value =
        if ElementType.isFloating target then
            Value.Numbers(target, Value.tensor call.Context (call.Context.DTypeOf target) value)
        elif target = OnnxElementType.Bool then
            truth call value
        else
            match value with
            | OnHost(_, array) -> Value.host target array.Shape (array.Numbers |> Array.map (ElementType.wrap target))
            | AsTensor(kind, tensor) when ElementType.isFloating kind ->
                match Value.ofWhole target (fractionless tensor) with
                | OnHost(_, array) ->
                    Value.host target array.Shape (array.Numbers |> Array.map (ElementType.wrap target))
                | numbers -> numbers
            | AsTensor(_, tensor) -> Value.Numbers(target, tensor)

    let private cast (call: Call) =
        [ convert call (enum<OnnxElementType>(int (call.Node.Int("to", 0L)))) (call.Input 0) ]

    let private castLike (call: Call) = [ convert call (call.Input 1).Kind (call.Input 0) ]

    let private refuseType (node: Node) =
        let number = node.Int("to", 0L)
        let kind = if number > 0L && number < 100L then int number else 0

        match ElementType.tryOf kind with
        | ValueSome _ -> ValueNone
        | ValueNone -> ValueSome $"converts to elements of type {ElementType.name kind}, which cannot be held"

    let private comparison name f g = Operator.make name (2, 2) "" (Elementwise.compare f g)
    let private connection name f g = Operator.make name (2, 2) "" (connective f g)
    let private either (a: Tensor) (b: Tensor) : Tensor = a + b - a * b
    let private one (a: Tensor) (b: Tensor) : Tensor = a + b - 2.0 * (a * b)
    let private swap f a b = f b a

    let operators: Operator list =
        [
            comparison "Equal" Tensor.equal (=)
            comparison "Greater" Tensor.greater (>)
            comparison "Less" (swap Tensor.greater) (<)
            comparison "GreaterOrEqual" Tensor.greaterOrEqual (>=) |> Operator.since 12
            comparison "LessOrEqual" (swap Tensor.greaterOrEqual) (<=) |> Operator.since 12
            connection "And" (*) (*)
            connection "Or" either (fun a b -> a ||| b)
            connection "Xor" one (fun a b -> a ^^^ b)
            Operator.make "Not" (1, 1) "" negation
            Operator.make "IsNaN" (1, 1) "" isNaN |> Operator.since 9
            Operator.make "IsInf" (1, 1) "detect_positive:int detect_negative:int" isInf |> Operator.since 10
            Operator.make "Where" (3, 3) "" Elementwise.choose |> Operator.since 9
            Operator.make "Cast" (1, 1) "to:int saturate:int round_mode:text" cast |> Operator.refusing refuseType
            Operator.make "CastLike" (2, 2) "saturate:int round_mode:text" castLike |> Operator.since 15
        ]
