namespace Curvature.TorchSharp

open global.TorchSharp
open Curvature

/// Buffers of a module, such as the running statistics of batch normalisation, which an evaluation in training moves.
/// Those that it moved are put back.
[<Sealed>]
type internal Buffers(named: (string * TorchTensor) list) =

    static member None = Buffers []

    static member Of(m: torch.nn.Module) = Buffers [ for struct (name, buffer) in m.named_buffers () -> name, buffer ]

    /// Runs, puts moved buffers back, and tells their names beside the result.
    member _.Keeping(work: unit -> 'R) : 'R * string list =
        let before = [ for name, buffer in named -> name, buffer, buffer.detach().clone(), Checksum.ofTensor buffer ]
        let mutable moved = []

        try
            let result = work ()

            moved <-
                [
                    for name, buffer, _, sum in before do
                        if Checksum.ofTensor buffer <> sum then name
                ]

            result, moved
        finally
            for _, buffer, old, sum in before do
                if Checksum.ofTensor buffer <> sum then
                    TorchScript.assign [| buffer |] [| old |]

module internal BufferWarnings =

    /// What an operator over batches says of an evaluation that moved buffers.
    let coupled (name: string) (moved: string list) : string list =
        match moved with
        | [] -> []
        | first :: _ ->
            [
                $"{name}: the loss changes {first}, as batch normalisation in training does: samples of a batch are "
                + "coupled, and the matrix depends on how the data are cut into batches; call eval() on the module to "
                + "use its running statistics"
            ]
