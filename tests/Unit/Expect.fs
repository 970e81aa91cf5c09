namespace Curvature.Tests

open System
open NUnit.Framework
open Curvature

/// What tests say about numbers and errors. A failure is thrown as an exception and not recorded beside it, so that a
/// property may meet one while it looks for a smaller counterexample.
[<RequireQualifiedAccess>]
module Expect =

    let fail (message: string) : unit = raise (AssertionException message)

    /// Equal by F#'s structural equality.
    let equal (expected: 'T) (actual: 'T) : unit =
        if actual <> expected then fail $"expected %A{expected}, got %A{actual}"

    let isTrue (message: string) (condition: bool) : unit = if not condition then fail message

    let private show (values: float[]) =
        let text = values |> Array.truncate 24 |> Array.map (sprintf "%.17g") |> String.concat "; "

        if values.Length > 24 then
            $"[{text}; … {values.Length} in all]"
        else
            $"[{text}]"

    /// Every |actual − expected| ≤ tolerance·(1 + the largest |expected|). NaN and infinities agree with themselves
    /// alone.
    let close (tolerance: float) (expected: float[]) (actual: float[]) : unit =
        if actual.Length <> expected.Length then
            fail $"expected {expected.Length} numbers {show expected}, got {actual.Length}: {show actual}"

        let magnitude =
            expected |> Array.fold (fun largest x -> if Double.IsFinite x then max largest (abs x) else largest) 0.0

        let allowed = tolerance * (1.0 + magnitude)

        let differs i =
            let e, a = expected[i], actual[i]
            not (e.Equals a || e = a || abs (a - e) <= allowed)

        match Seq.tryFind differs (seq { 0 .. expected.Length - 1 }) with
        | None -> ()
        | Some i ->
            fail (
                $"element {i}: expected {expected[i]:R}, got {actual[i]:R}, which is off by "
                + $"{actual[i] - expected[i]:E3} where {allowed:E3} is allowed\n  expected "
                + $"{show expected}\n  got      {show actual}"
            )

    /// The same shape and element type, and close values.
    let tensorsClose (tolerance: float) (expected: Tensor) (actual: Tensor) : unit =
        if actual.Shape <> expected.Shape || actual.DType <> expected.DType then
            fail $"expected {expected.DType} of shape %A{expected.Shape}, got {actual.DType} of shape %A{actual.Shape}"

        close tolerance (expected.ToArray()) (actual.ToArray())

    /// A tensor of this shape with close values.
    let tensor (tolerance: float) (shape: int list) (values: float seq) (actual: Tensor) : unit =
        if List.ofArray actual.Shape <> shape then
            fail $"expected shape {shape}, got %A{actual.Shape}"

        close tolerance (Seq.toArray values) (actual.ToArray())

    /// A scalar close to a number.
    let scalar (tolerance: float) (expected: float) (actual: Tensor) : unit =
        if actual.Rank <> 0 then fail $"expected a scalar, got shape %A{actual.Shape}"

        close tolerance [| expected |] (actual.ToArray())

    /// The same bits.
    let sameBits (expected: Tensor) (actual: Tensor) : unit =
        let bits (t: Tensor) = t.ToArray() |> Array.map BitConverter.DoubleToInt64Bits

        if bits expected <> bits actual then
            fail $"expected the bits of {expected}, got {actual}"

    /// An error of exactly this type, whose message has all the fragments.
    let error<'E when 'E :> exn> (fragments: string list) (action: unit -> unit) : unit =
        let caught =
            try
                action ()
                None
            with e ->
                Some e

        match caught with
        | None -> fail $"expected {typeof<'E>.Name}, and nothing was raised"
        | Some e when e.GetType() <> typeof<'E> -> fail $"expected {typeof<'E>.Name}, got {e}"
        | Some e ->
            for fragment in fragments do
                if not (e.Message.Contains fragment) then
                    fail $"expected \"{fragment}\" in the message, which is \"{e.Message}\""

    /// The same for a function that would return a tensor.
    let raises<'E when 'E :> exn> (fragments: string list) (f: unit -> Tensor) : unit =
        error<'E> fragments (fun () -> f () |> ignore)
