namespace Curvature.Tests.CudaWithoutCard

open System
open System.Numerics
open Expecto

/// What instructions compute, as the manual of PTX says it (ISA 7.0, sections 9.7.1 to 9.7.9). Each is a function
/// function from the words of its operands to the word of its result; those of 32 bits look at the lower half of a
/// word, and leave the upper one empty. NaN is the one that cards make, so that nothing can hang on another's sign.
[<RequireQualifiedAccess>]
module PtxInstructions =

    let single (word: uint64) = BitConverter.UInt32BitsToSingle(uint32 word)

    let double (word: uint64) = BitConverter.UInt64BitsToDouble word

    let ofSingle (x: float32) =
        if Single.IsNaN x then
            0x7FFFFFFFUL
        else
            uint64 (BitConverter.SingleToUInt32Bits x)

    let ofDouble (x: float) =
        if Double.IsNaN x then
            0x7FF8000000000000UL
        else
            BitConverter.DoubleToUInt64Bits x

    let private ofBool condition = if condition then 1UL else 0UL

    /// Shifts by the width of a register and more give zeros.
    let private shift width (by: uint64) (apply: int -> uint64) =
        let by = by &&& 0xFFFFFFFFUL
        if by >= uint64 width then 0UL else apply (int by)

    let private unary operation : (uint64 -> uint64) option =
        match operation with
        | "mov.b32"
        | "mov.u32" -> Some(fun a -> a &&& 0xFFFFFFFFUL)
        | "mov.b64"
        | "mov.u64" -> Some id
        | "not.b64" -> Some(fun a -> ~~~a)
        | "sqrt.rn.f32" -> Some(fun a -> ofSingle (MathF.Sqrt(single a)))
        | "sqrt.rn.f64" -> Some(fun a -> ofDouble (Math.Sqrt(double a)))
        | "cvt.rni.f32.f32" -> Some(fun a -> ofSingle (MathF.Round(single a, MidpointRounding.ToEven)))
        | "cvt.rni.f64.f64" -> Some(fun a -> ofDouble (Math.Round(double a, MidpointRounding.ToEven)))
        | "cvt.rmi.f32.f32" -> Some(fun a -> ofSingle (MathF.Floor(single a)))
        | "cvt.rmi.f64.f64" -> Some(fun a -> ofDouble (Math.Floor(double a)))
        | "cvt.f64.f32" -> Some(fun a -> ofDouble (float (single a)))
        | "cvt.rn.f32.f64" -> Some(fun a -> ofSingle (float32 (double a)))
        | "cvt.rn.f64.s64" -> Some(fun a -> ofDouble (float (int64 a)))
        | "cvt.rn.f64.u64" -> Some(fun a -> ofDouble (float a))
        | "cvt.u32.u64" -> Some(fun a -> a &&& 0xFFFFFFFFUL)
        | "cvt.u64.u32" -> Some(fun a -> a &&& 0xFFFFFFFFUL)
        | "cvt.s64.s32" -> Some(fun a -> uint64 (int64 (int32 a)))
        | "clz.b64" -> Some(fun a -> uint64 (BitOperations.LeadingZeroCount a))
        | _ -> None

    let private comparison (text: string) : (uint64 -> uint64 -> bool) option =
        match text with
        | "lt.f32" -> Some(fun a b -> single a < single b)
        | "gt.f32" -> Some(fun a b -> single a > single b)
        | "ge.f32" -> Some(fun a b -> single a >= single b)
        | "eq.f32" -> Some(fun a b -> single a = single b)
        | "lt.f64" -> Some(fun a b -> double a < double b)
        | "gt.f64" -> Some(fun a b -> double a > double b)
        | "ge.f64" -> Some(fun a b -> double a >= double b)
        | "eq.f64" -> Some(fun a b -> double a = double b)
        | "nan.f64" -> Some(fun a b -> Double.IsNaN(double a) || Double.IsNaN(double b))
        | "ne.s32" -> Some(fun a b -> int32 a <> int32 b)
        | "ne.s64" -> Some(fun a b -> a <> b)
        | "lt.s64" -> Some(fun a b -> int64 a < int64 b)
        | "lt.u64" -> Some(fun a b -> a < b)
        | "lt.u32" -> Some(fun a b -> uint32 a < uint32 b)
        | "ge.u32" -> Some(fun a b -> uint32 a >= uint32 b)
        | "eq.u32" -> Some(fun a b -> uint32 a = uint32 b)
        | _ -> None

    /// The larger or smaller of two numbers that are not NaN; of one that is and one that is not, the latter.
    let private known choose (a: float) (b: float) =
        if Double.IsNaN a then b
        elif Double.IsNaN b then a
        else choose a b

    let private binary (operation: string) : (uint64 -> uint64 -> uint64) option =
        let word (value: uint32) = uint64 value

        match operation with
        | "add.rn.f32" -> Some(fun a b -> ofSingle (single a + single b))
        | "sub.rn.f32" -> Some(fun a b -> ofSingle (single a - single b))
        | "mul.rn.f32" -> Some(fun a b -> ofSingle (single a * single b))
        | "div.rn.f32" -> Some(fun a b -> ofSingle (single a / single b))
        | "add.rn.f64" -> Some(fun a b -> ofDouble (double a + double b))
        | "sub.rn.f64" -> Some(fun a b -> ofDouble (double a - double b))
        | "mul.rn.f64" -> Some(fun a b -> ofDouble (double a * double b))
        | "div.rn.f64" -> Some(fun a b -> ofDouble (double a / double b))
        | "max.NaN.f32" -> Some(fun a b -> ofSingle (MathF.Max(single a, single b)))
        | "min.NaN.f32" -> Some(fun a b -> ofSingle (MathF.Min(single a, single b)))
        | "max.f64" -> Some(fun a b -> ofDouble (known (fun a b -> Math.Max(a, b)) (double a) (double b)))
        | "min.f64" -> Some(fun a b -> ofDouble (known (fun a b -> Math.Min(a, b)) (double a) (double b)))
        | "and.b32" -> Some(fun a b -> word (uint32 a &&& uint32 b))
        | "or.b32" -> Some(fun a b -> word (uint32 a ||| uint32 b))
        | "xor.b32" -> Some(fun a b -> word (uint32 a ^^^ uint32 b))
        | "and.b64"
        | "and.pred" -> Some(fun a b -> a &&& b)
        | "or.b64" -> Some(fun a b -> a ||| b)
        | "xor.b64" -> Some(fun a b -> a ^^^ b)
        | "shl.b32" -> Some(fun a b -> shift 32 b (fun by -> word (uint32 a <<< by)))
        | "shr.u32" -> Some(fun a b -> shift 32 b (fun by -> word (uint32 a >>> by)))
        | "shl.b64" -> Some(fun a b -> shift 64 b (fun by -> a <<< by))
        | "shr.u64" -> Some(fun a b -> shift 64 b (fun by -> a >>> by))
        | "add.s32" -> Some(fun a b -> word (uint32 a + uint32 b))
        | "sub.s32" -> Some(fun a b -> word (uint32 a - uint32 b))
        | "mul.lo.s32" -> Some(fun a b -> word (uint32 a * uint32 b))
        | "div.u32" -> Some(fun a b -> word (uint32 a / uint32 b))
        | "rem.u32" -> Some(fun a b -> word (uint32 a % uint32 b))
        | "min.u32" -> Some(fun a b -> word (min (uint32 a) (uint32 b)))
        | "add.s64" -> Some(fun a b -> a + b)
        | "sub.s64" -> Some(fun a b -> a - b)
        | "mul.lo.u64" -> Some(fun a b -> a * b)
        | "mul.hi.u64" -> Some(fun a b -> Math.BigMul(a, b) >>> 64 |> uint64)
        | _ when operation.StartsWith "setp." ->
            comparison (operation.Substring 5) |> Option.map (fun holds a b -> ofBool (holds a b))
        | _ -> None

    let private ternary operation : (uint64 -> uint64 -> uint64 -> uint64) option =
        match operation with
        | "fma.rn.f32" -> Some(fun a b c -> ofSingle (MathF.FusedMultiplyAdd(single a, single b, single c)))
        | "fma.rn.f64" -> Some(fun a b c -> ofDouble (Math.FusedMultiplyAdd(double a, double b, double c)))
        | "selp.b32" -> Some(fun a b p -> if p <> 0UL then a &&& 0xFFFFFFFFUL else b &&& 0xFFFFFFFFUL)
        | "selp.b64" -> Some(fun a b p -> if p <> 0UL then a else b)
        | "mad.lo.s32" -> Some(fun a b c -> uint64 (uint32 a * uint32 b + uint32 c))
        | "mad.lo.s64" -> Some(fun a b c -> a * b + c)
        | "mad.wide.s32" -> Some(fun a b c -> uint64 (int64 (int32 a) * int64 (int32 b)) + c)
        | "mad.wide.u32" -> Some(fun a b c -> uint64 (uint32 a) * uint64 (uint32 b) + c)
        | _ -> None

    /// The kinds of registers of an operation's result and sources: v for 32 bits, w for 64, p for conditions.
    let private kinds (operation: string) =
        let of' (text: string) = if text.EndsWith "64" then 'w' else 'v'

        match operation.Split '.' with
        | [| "setp"; _; kind |] -> $"p{of' kind}{of' kind}"
        | [| "selp"; kind |] -> $"{of' kind}{of' kind}{of' kind}p"
        | [| "mad"; "wide"; _ |] -> "wvvw"
        | [| "shl"; kind |]
        | [| "shr"; kind |] -> $"{of' kind}{of' kind}v"
        | [| "clz"; _ |] -> "vw"
        | [| "and"; "pred" |] -> "ppp"
        | parts when parts[0] = "cvt" -> $"{of' parts[parts.Length - 2]}{of' parts[parts.Length - 1]}"
        | parts -> String.replicate 4 (string (of' parts[parts.Length - 1]))

    /// The function of an operation, of as many operands as it is given.
    let private computation operation count : (uint64[] -> int[] -> uint64) option =
        match count with
        | 1 -> unary operation |> Option.map (fun f words places -> f words[places[0]])
        | 2 -> binary operation |> Option.map (fun f words places -> f words[places[0]] words[places[1]])
        | 3 ->
            ternary operation |> Option.map (fun f words places -> f words[places[0]] words[places[1]] words[places[2]])
        | _ -> None

    let private registerKind (text: string) = if text.StartsWith '%' && text.Length > 1 then Some text[1] else None

    /// Whether the registers of an instruction are of the kinds that it asks for.
    let private check (line: PtxLine) =
        let rest =
            if line.Guard < 0 then
                line.Text
            else
                line.Text.Substring(line.Text.IndexOf ' ' + 1)

        let operands = rest.Substring(rest.IndexOf ' ').Split(',') |> Array.map _.Trim()

        for kind, operand in Seq.zip (kinds line.Operation) operands do
            match registerKind operand with
            | Some found when found <> kind -> failtest $"{operand} is not of kind {kind}: {line.Text}"
            | _ -> ()

    /// An instruction that only computes, on an array of words; None if it is of another sort.
    let compile (line: PtxLine) : (uint64[] -> unit) option =
        let places =
            [|
                for operand in line.Operands do
                    match operand with
                    | Value place -> place
                    | _ -> ()
            |]

        if places.Length < line.Operands.Length || places.Length < 2 then
            None
        else
            computation line.Operation (places.Length - 1)
            |> Option.map (fun compute ->
                check line
                let target, sources = places[0], places[1..]
                fun words -> words[target] <- compute words sources)
