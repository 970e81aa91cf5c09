namespace Curvature.TorchSharp

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open global.TorchSharp
open Curvature
open Curvature.Kernels

type internal TorchTensor = torch.Tensor

/// Numbers to and from torch: one copy from memory to memory, with no array between. Other devices than the processor
/// are copied from and to as torch does it.
[<RequireQualifiedAccess>]
module Exchange =

    /// The element type of torch for one of the library.
    let scalarType (dtype: DType) : torch.ScalarType =
        match dtype with
        | DType.Float32 -> torch.ScalarType.Float32
        | DType.Float64 -> torch.ScalarType.Float64
        | _ -> torch.ScalarType.Int32

    /// The element type of the library for one of torch: Float64 stays; Float32, Float16 and BFloat16 become Float32;
    /// whole numbers and truth values become Int32. Raises DTypeException for complex and quantized numbers.
    let dtypeOf (kind: torch.ScalarType) : DType =
        match kind with
        | torch.ScalarType.Float64 -> DType.Float64
        | torch.ScalarType.Float32
        | torch.ScalarType.Float16
        | torch.ScalarType.BFloat16 -> DType.Float32
        | torch.ScalarType.Byte
        | torch.ScalarType.Int8
        | torch.ScalarType.Int16
        | torch.ScalarType.Int32
        | torch.ScalarType.Int64
        | torch.ScalarType.Bool -> DType.Int32
        | other -> Fail.dtype $"torch: there is no tensor of {other} here; convert it to real numbers first"

    let internal isOnHost (t: TorchTensor) = t.device_type = DeviceType.CPU

    /// A tensor on the processor, dense, without history and of an element type.
    let internal hostOf (kind: torch.ScalarType) (t: TorchTensor) : TorchTensor =
        if t.dtype = kind && isOnHost t && not t.requires_grad && t.is_contiguous () then
            t
        else
            t.detach().``to``(kind).cpu().contiguous()

    /// Copies a dense tensor of the processor into a block of the library, from a byte on.
    let internal copyOut (host: TorchTensor) (storage: Storage) (start: int64) =
        if host.numel () > 0L then
            storage.Device.Upload<byte>(host.bytes, storage.Address + nativeint start)

        GC.KeepAlive storage.Memory

    /// Copies elements of a dense array of the library, from a byte on, into a dense tensor of the processor.
    let internal copyIn (storage: Storage) (start: int64) (host: TorchTensor) =
        if host.numel () > 0L then
            storage.Device.Download<byte>(storage.Address + nativeint start, host.bytes)

        GC.KeepAlive storage.Memory

    let internal shapeOf (t: TorchTensor) : int[] =
        t.shape
        |> Array.map (fun length ->
            if length > int64 Int32.MaxValue then
                Fail.shape $"torch: an axis of {length} elements is longer than the library's, {Int32.MaxValue}"

            int length)

    /// A torch tensor with the same elements, on the processor. Costs one copy.
    let toTorch (t: Tensor) : torch.Tensor =
        ArgumentNullException.ThrowIfNull(t, nameof t)

        TorchErrors.guard "toTorch" (fun () ->
            let dense = t.Storage.Dense t.DType
            let result = torch.empty (t.Shape |> Array.map int64, Nullable(scalarType t.DType))
            copyIn dense 0L result
            result)

    let private checkWhole (t: TorchTensor) (converted: TorchTensor) =
        if
            t.dtype = torch.ScalarType.Int64 && not (converted.``to``(torch.ScalarType.Int64).Equals(t.detach().cpu()))
        then
            Fail.range "ofTorch: whole numbers of 64 bits do not fit into Int32"

    /// The elements of a torch tensor, from whatever device it is on, without its history. Element types as in
    /// `dtypeOf`. Costs one copy, and torch's conversions where the element type or the device differs.
    /// Raises ArgumentRangeException for whole numbers that do not fit into Int32, DTypeException for complex ones.
    let ofTorch (t: torch.Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(t, nameof t)

        TorchErrors.guard "ofTorch" (fun () ->
            use _scope = torch.NewDisposeScope()
            let dtype = dtypeOf t.dtype
            let host = hostOf (scalarType dtype) t
            checkWhole t host
            let storage = Storage.Allocate(CpuDevice.Shared, { Shape = shapeOf t; DType = dtype })
            copyOut host storage 0L
            Tensor.OfStorage storage)

/// Numbers to and from torch, as members of the tensors.
[<AbstractClass; Sealed; Extension>]
type TorchConversions =

    /// A torch tensor with the same elements, on the processor; see `Exchange.toTorch`.
    [<Extension>]
    static member ToTorch(tensor: Tensor) : torch.Tensor = Exchange.toTorch tensor

    /// The elements of a torch tensor as one of the library; see `Exchange.ofTorch`.
    [<Extension>]
    static member ToCurvature(tensor: torch.Tensor) : Tensor = Exchange.ofTorch tensor
