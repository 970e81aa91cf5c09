namespace Curvature.TorchSharp

open System
open System.Runtime.InteropServices
open Curvature

/// An error of libtorch for which the library has no exception of its own: what libtorch said, and what to do.
type TorchException(message: string, inner: exn | null) =
    inherit CurvatureException(message, inner)

/// What libtorch and TorchSharp raise, as the library's exceptions.
module internal TorchErrors =

    /// What comes before the message proper where a script failed.
    let private ofScript = "RuntimeError: "

    /// The line of a message that says what happened: the first one, or, where a script failed, that of its error. The
    /// others are native stack frames and the lines of the script.
    let private essence (error: exn) =
        let lines = error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries)

        match lines |> Array.tryFind _.StartsWith(ofScript, StringComparison.Ordinal) with
        | Some line -> line.Substring(ofScript.Length).Trim()
        | None when lines.Length = 0 -> error.GetType().Name
        | None -> lines[0].Trim()

    let private noSecondDerivative =
        "an operation of the loss has no second derivative. Fused attention is one: call "
        + "torch.backends.cuda.enable_flash_sdp(false), which also counts on processors, before the loss is computed"

    let private changed =
        "a tensor of the graph was changed in place, by a step of an optimizer, say, since the operator was made: make "
        + "the operator anew after such a change"

    /// What libtorch says, and what that means here.
    let private meanings: (string * (string -> exn -> exn)) list =
        let derivative text message (_: exn) = DifferentiationException $"{text} ({message})" :> exn

        let memory message (error: exn) =
            let text = $"there is not enough memory; take smaller batches or fewer vectors at a time ({message})"
            DeviceMemoryException(text, error) :> exn

        [
            "derivative for", derivative noSecondDerivative
            "double backward", derivative noSecondDerivative
            "scaled_dot_product", derivative noSecondDerivative
            "inplace operation", derivative changed
            "through the graph a second time",
            derivative "the graph was freed: the loss must not call backward itself, or must retain its graph"
            "does not require grad",
            derivative "the value does not depend on the parameters (no_grad, detach, or computed before?)"
            "out of memory", memory
            "not enough memory", memory
            "can't allocate", memory
        ]

    let private ofNative (name: string) (error: exn) : exn =
        let line = essence error

        match meanings |> List.tryFind (fun (words, _) -> line.Contains(words, StringComparison.OrdinalIgnoreCase)) with
        | Some(_, meaning) ->
            match meaning line error with
            | :? DeviceMemoryException as known -> DeviceMemoryException($"{name}: {known.Message}", error)
            | known -> DifferentiationException $"{name}: {known.Message}"
        | None -> TorchException($"{name}: libtorch failed: {line}", error)

    let private disposed (name: string) =
        DisposedException
            $"{name}: a tensor that it needs was disposed of, with its module or its dispose scope; make it anew"

    /// Whether TorchSharp says by this that a tensor was disposed of.
    let private isDisposed (error: exn) =
        match error with
        | :? ObjectDisposedException -> true
        | :? InvalidOperationException -> error.Message.Contains "empty handle"
        | _ -> false

    /// Runs what calls libtorch; what fails there is raised in the library's words, under a name.
    let guard (name: string) (work: unit -> 'R) : 'R =
        try
            work ()
        with
        | :? CurvatureException -> reraise ()
        | :? ExternalException as error -> raise (ofNative name error)
        | error when isDisposed error -> raise (disposed name)
