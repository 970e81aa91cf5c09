namespace Curvature.Tests

open System
open Expecto
open Curvature

/// What tests say about numbers, tensors and errors, beside the functions of Expecto.Flip's module of the same name.
/// Like those, they take what is expected before what was found.
[<RequireQualifiedAccess>]
module Expect =

    /// |actual − expected| ≤ tolerance. NaN and infinities agree with themselves alone.
    let within (message: string) (tolerance: float) (expected: float) (actual: float) : unit =
        let agrees = expected.Equals actual || abs (actual - expected) <= tolerance

        if not agrees then
            failtest $"{message}: expected {expected:R} ± {tolerance:R}, got {actual:R}"

    /// |actual − expected| ≤ percent/100·|expected|.
    let withinPercent (message: string) (percent: float) (expected: float) (actual: float) : unit =
        within message (percent / 100.0 * abs expected) expected actual

    /// 0, of any type of numbers.
    let inline isZero (message: string) (actual: ^T) : unit =
        Expecto.Flip.Expect.equal message LanguagePrimitives.GenericZero actual

    /// low ≤ actual ≤ high.
    let inRange (message: string) (low: 'T) (high: 'T) (actual: 'T) : unit =
        if not (low <= actual && actual <= high) then
            failtest $"{message}: expected %A{low} to %A{high}, got %A{actual}"

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
            failtest $"expected {expected.Length} numbers {show expected}, got {actual.Length}: {show actual}"

        let magnitude =
            expected |> Array.fold (fun largest x -> if Double.IsFinite x then max largest (abs x) else largest) 0.0

        let allowed = tolerance * (1.0 + magnitude)

        let differs i =
            let e, a = expected[i], actual[i]
            not (e.Equals a || e = a || abs (a - e) <= allowed)

        match Seq.tryFind differs (seq { 0 .. expected.Length - 1 }) with
        | None -> ()
        | Some i ->
            failtest (
                $"element {i}: expected {expected[i]:R}, got {actual[i]:R}, which is off by "
                + $"{actual[i] - expected[i]:E3} where {allowed:E3} is allowed\n  expected "
                + $"{show expected}\n  got      {show actual}"
            )

    /// The same shape and element type, and close values.
    let tensorsClose (tolerance: float) (expected: Tensor) (actual: Tensor) : unit =
        if actual.Shape <> expected.Shape || actual.DType <> expected.DType then
            failtest
                $"expected {expected.DType} of shape %A{expected.Shape}, got {actual.DType} of shape %A{actual.Shape}"

        close tolerance (expected.ToArray()) (actual.ToArray())

    /// A tensor of this shape with close values.
    let tensor (tolerance: float) (shape: int list) (values: float seq) (actual: Tensor) : unit =
        if List.ofArray actual.Shape <> shape then
            failtest $"expected shape {shape}, got %A{actual.Shape}"

        close tolerance (Seq.toArray values) (actual.ToArray())

    /// A scalar close to a number.
    let scalar (tolerance: float) (expected: float) (actual: Tensor) : unit =
        if actual.Rank <> 0 then
            failtest $"expected a scalar, got shape %A{actual.Shape}"

        close tolerance [| expected |] (actual.ToArray())

    /// The same bits.
    let sameBits (expected: Tensor) (actual: Tensor) : unit =
        let bits (t: Tensor) = t.ToArray() |> Array.map BitConverter.DoubleToInt64Bits

        if bits expected <> bits actual then
            failtest $"expected the bits of {expected}, got {actual}"

    let private attempt (action: unit -> unit) =
        try
            action ()
            None
        with e ->
            Some e

    /// Runs an action, which must raise an error of this type or of a derived one, and returns the error.
    let caught<'E when 'E :> exn> (action: unit -> unit) : 'E =
        match attempt action with
        | None -> failtest $"expected {typeof<'E>.Name}, and nothing was raised"
        | Some(:? 'E as error) -> error
        | Some error -> failtest $"expected {typeof<'E>.Name}, got {error}"

    /// Runs an action, which must raise an error of exactly this type, and returns the error.
    let thrown<'E when 'E :> exn> (action: unit -> unit) : 'E =
        let error = caught<'E> action

        if error.GetType() <> typeof<'E> then
            failtest $"expected {typeof<'E>.Name}, got {error}"

        error

    /// An error of exactly this type, whose message has all the fragments.
    let error<'E when 'E :> exn> (fragments: string list) (action: unit -> unit) : unit =
        let error = thrown<'E> action

        for fragment in fragments do
            if not (error.Message.Contains fragment) then
                failtest $"expected \"{fragment}\" in the message, which is \"{error.Message}\""

    /// The same for a function that would return a tensor.
    let raises<'E when 'E :> exn> (fragments: string list) (f: unit -> Tensor) : unit =
        error<'E> fragments (fun () -> f () |> ignore)
