namespace Curvature

open Curvature.FSharp
open Curvature.Kernels

/// A part of a variable of a linear program, each of whose elements is a number times one element of the input.
[<NoEquality; NoComparison>]
type internal ViewTerm =
    {
        /// 1 + the place of that element in the input, and 0 where there is none. Float64 counts up to 2⁵³.
        Places: Tensor
        /// The number; missing where it is 1 everywhere.
        Coefficient: Tensor voption
    }

/// A variable that is a sum of such parts.
type internal ParameterView = ViewTerm list

/// How views of the input follow from one another: by primitives that move elements, by products with constants, and by
/// sums.
module internal ParameterViews =

    let private full (device: Device) (signature: Signature) (value: float) : Tensor =
        Tensor.OfStorage(Storage.Full(device, signature, value))

    /// The coefficient of a part of a variable as a tensor.
    let coefficient (program: Program) id (term: ViewTerm) : Tensor =
        term.Coefficient |> ValueOption.defaultWith (fun () -> full program.Device program.Variables[id] 1.0)

    /// The input itself.
    let ofInput (device: Device) (input: Signature) : ParameterView =
        let places = Tensor.arange DType.Float64 (Shape.size input.Shape) + 1.0

        [
            {
                Places = places |> Tensor.reshape (List.ofArray input.Shape) |> Tensor.toDevice device
                Coefficient = ValueNone
            }
        ]

    /// The number that all coefficients are, where they are one number.
    let scale (term: ViewTerm) : float voption =
        match term.Coefficient with
        | ValueNone -> ValueSome 1.0
        | ValueSome coefficient ->
            let values = Tensor.flatten coefficient
            let least = (Tensor.min values).ToScalar()
            if least = (Tensor.max values).ToScalar() then ValueSome least else ValueNone

    /// Whether a primitive moves elements, and does no arithmetic.
    let moves (primitive: Primitive) =
        match primitive with
        | :? Structure.Reshape
        | :? Structure.Permute
        | :? Structure.ReverseAxes
        | :? Structure.Slice
        | :? Structure.Pad
        | :? Structure.Split
        | :? Structure.Concat
        | :? Indexing.Gather
        | :? Broadcast -> true
        | _ -> false

    let private variables (equation: Equation) =
        equation.Operands
        |> Array.choose (fun atom ->
            match atom with
            | Atom.Variable id -> Some id
            | Atom.Constant _ -> None)

    /// The parts that a primitive makes of parts, one of each variable, by moving their elements. Constants are zeros,
    /// because the program is linear, or indices.
    let private moved (program: Program) (find: int -> ViewTerm) (equation: Equation) : ViewTerm[] =
        let run (part: int -> Tensor) (dtype: DType) =
            let operand atom =
                match atom with
                | Atom.Variable id -> part id
                | Atom.Constant index when index.DType = DType.Int32 -> index
                | Atom.Constant zeros -> full program.Device { zeros.Signature with DType = dtype } 0.0

            Interpreter.Bind(equation.Primitive, equation.Operands |> Array.map operand)

        let places = run (fun id -> (find id).Places) DType.Float64
        let ids = variables equation

        if ids |> Array.exists (fun id -> (find id).Coefficient.IsSome) then
            let coefficients = run (fun id -> coefficient program id (find id)) program.Variables[ids[0]].DType
            Array.map2 (fun places c -> { Places = places; Coefficient = ValueSome c }) places coefficients
        else
            places |> Array.map (fun places -> { Places = places; Coefficient = ValueNone })

    /// The views that a primitive makes of views by moving their elements: part by part for one variable, and for
    /// several where each has one part.
    let private movedViews program (find: int -> ParameterView) (equation: Equation) : ParameterView[] voption =
        match variables equation with
        | [| id |] ->
            let parts = find id |> List.map (fun term -> moved program (fun _ -> term) equation)
            ValueSome(Array.init equation.Results.Length (fun k -> parts |> List.map (fun made -> made[k])))
        | several when several |> Array.forall (fun id -> (find id).Length = 1) ->
            moved program (find >> List.exactlyOne) equation |> Array.map List.singleton |> ValueSome
        | _ -> ValueNone

    /// The view that an elementwise function of views and constants is, where it is linear in the views.
    let private combined (program: Program) (find: int -> ParameterView) (equation: Equation) (op: OpCode) =
        let times (f: Tensor -> Tensor) id : ParameterView =
            [ for term in find id -> { term with Coefficient = ValueSome(f (coefficient program id term)) } ]

        match op, equation.Operands with
        | OpCode.Add, [| Atom.Variable a; Atom.Variable b |] -> ValueSome [| find a @ find b |]
        | OpCode.Subtract, [| Atom.Variable a; Atom.Variable b |] -> ValueSome [| find a @ times (~-) b |]
        | OpCode.Negate, [| Atom.Variable id |] -> ValueSome [| times (~-) id |]
        | OpCode.Multiply, [| Atom.Variable id; Atom.Constant c |]
        | OpCode.Multiply, [| Atom.Constant c; Atom.Variable id |] -> ValueSome [| times (fun k -> k * c) id |]
        | OpCode.Divide, [| Atom.Variable id; Atom.Constant c |] -> ValueSome [| times (fun k -> k / c) id |]
        | OpCode.Select, [| Atom.Constant mask; Atom.Variable id; Atom.Constant _ |] ->
            ValueSome [| times (fun k -> Tensor.where mask k (Tensor.zerosLike k)) id |]
        | OpCode.Select, [| Atom.Constant mask; Atom.Constant _; Atom.Variable id |] ->
            ValueSome [| times (fun k -> Tensor.where mask (Tensor.zerosLike k) k) id |]
        | _ -> ValueNone

    /// The views that an equation makes, where all variables that it takes are views, which a function finds; nothing
    /// for another primitive than those that make views of views.
    let follow (program: Program) (find: int -> ParameterView) (equation: Equation) : ParameterView[] voption =
        match equation.Primitive, equation.Operands with
        | :? Structure.Convert, [| Atom.Variable id |] ->
            let dtype = program.Variables[equation.Results[0]].DType
            let converted (term: ViewTerm) = term.Coefficient |> ValueOption.map (Tensor.convert dtype)
            ValueSome [| [ for term in find id -> { term with Coefficient = converted term } ] |]
        | (:? Elementwise as elementwise), _ -> combined program find equation elementwise.Op
        | primitive, _ when moves primitive -> movedViews program find equation
        | _ -> ValueNone

    /// The places as whole numbers, in row-major order; −1 where there is none.
    let positions (places: Tensor) : int[] = places.ToArray() |> Array.map (fun place -> int place - 1)
