namespace Curvature

/// The element types that values of ONNX models have, by the numbers of the format. Float16 and BFloat16 are computed
/// with in Float32.
type OnnxElementType =
    /// IEEE 754 single precision.
    | Float32 = 1
    /// 8 bits without a sign.
    | UInt8 = 2
    /// 8 bits with a sign.
    | Int8 = 3
    /// 16 bits without a sign.
    | UInt16 = 4
    /// 16 bits with a sign.
    | Int16 = 5
    /// 32 bits with a sign.
    | Int32 = 6
    /// 64 bits with a sign: shapes, positions, token numbers.
    | Int64 = 7
    /// Truth values.
    | Bool = 9
    /// IEEE 754 half precision.
    | Float16 = 10
    /// IEEE 754 double precision.
    | Float64 = 11
    /// 32 bits without a sign.
    | UInt32 = 12
    /// 64 bits without a sign.
    | UInt64 = 13
    /// The upper half of a Float32.
    | BFloat16 = 16

namespace Curvature.OnnxFormat

open System
open Curvature

[<RequireQualifiedAccess>]
module internal ElementType =

    /// The element type of a number that a file states; nothing where it is none that can be held.
    let tryOf (number: int) : OnnxElementType voption =
        if Enum.IsDefined(typeof<OnnxElementType>, number) then
            ValueSome(enum<OnnxElementType> number)
        else
            ValueNone

    /// The name of a number in TensorProto.DataType, for messages.
    let name (number: int) : string =
        match tryOf number with
        | ValueSome kind -> string kind
        | ValueNone ->
            match number with
            | 0 -> "undefined"
            | 8 -> "text"
            | 14
            | 15 -> "complex"
            | _ -> $"number {number}"

    let isFloating (kind: OnnxElementType) =
        match kind with
        | OnnxElementType.Float32
        | OnnxElementType.Float64
        | OnnxElementType.Float16
        | OnnxElementType.BFloat16 -> true
        | _ -> false

    /// Bytes of an element in a file.
    let size (kind: OnnxElementType) =
        match kind with
        | OnnxElementType.UInt8
        | OnnxElementType.Int8
        | OnnxElementType.Bool -> 1
        | OnnxElementType.UInt16
        | OnnxElementType.Int16
        | OnnxElementType.Float16
        | OnnxElementType.BFloat16 -> 2
        | OnnxElementType.Float32
        | OnnxElementType.Int32
        | OnnxElementType.UInt32 -> 4
        | _ -> 8

    /// A whole number as a variable of the type holds it: the bits that do not fit are lost.
    let wrap (kind: OnnxElementType) (value: int64) : int64 =
        match kind with
        | OnnxElementType.UInt8 -> int64 (uint8 value)
        | OnnxElementType.Int8 -> int64 (int8 value)
        | OnnxElementType.UInt16 -> int64 (uint16 value)
        | OnnxElementType.Int16 -> int64 (int16 value)
        | OnnxElementType.Int32 -> int64 (int32 value)
        | OnnxElementType.UInt32 -> int64 (uint32 value)
        | OnnxElementType.Bool -> if value = 0L then 0L else 1L
        | _ -> value
