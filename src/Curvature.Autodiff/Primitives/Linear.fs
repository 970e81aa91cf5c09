namespace Curvature

/// A primitive that is linear in its single operand: its derivative is itself.
[<AbstractClass>]
type internal LinearPrimitive(name: string, parameters: obj) =
    inherit Primitive(name, parameters)

    /// The adjoint applied to one cotangent per result, given the operand's signature.
    abstract Adjoint: cotangents: Tensor voption[] * operand: Signature -> Tensor voption

    override this.Jvp(_, _, tangents) = Interpreter.Bind(this, tangents[0].Value) |> Array.map ValueSome

    override this.Transpose(cotangents, operands) = [| this.Adjoint(cotangents, operands[0].Signature) |]

/// A primitive B(a, b) that is linear in each of its two operands.
[<AbstractClass>]
type internal BilinearPrimitive(name: string, parameters: obj) =
    inherit Primitive(name, parameters)

    /// The cotangent of operand k from the cotangent of the result and the other operand.
    abstract Adjoint: k: int * operand: Signature * cotangent: Tensor * other: Tensor -> Tensor

    override this.Jvp(primals, _, tangents) =
        let along i = tangents[i] |> Tangent.map (fun t -> Tensor.Of(this, Array.updateAt i t primals))
        [| Tangent.add (along 0) (along 1) |]

    override this.Transpose(cotangents, operands) =
        match cotangents[0], operands[0], operands[1] with
        | ValueNone, _, _ -> [| ValueNone; ValueNone |]
        | ValueSome c, Unknown a, Known b -> [| ValueSome(this.Adjoint(0, a, c, b)); ValueNone |]
        | ValueSome c, Known a, Unknown b -> [| ValueNone; ValueSome(this.Adjoint(1, b, c, a)) |]
        | _ -> Fail.differentiation $"{this} is not linear in its operands together"

    /// 2⟨ȳ, B(t, u)⟩, as the smaller of ⟨Bᵀ(ȳ, u), t⟩ and ⟨Bᵀ(ȳ, t), u⟩.
    override this.QuadraticForm(cotangents, _, _, tangents) =
        match cotangents[0], tangents[0], tangents[1] with
        | ValueSome c, ValueSome t, ValueSome u ->
            let product =
                if t.Size <= u.Size then
                    this.Adjoint(0, t.Signature, c, u) * t
                else
                    this.Adjoint(1, u.Signature, c, t) * u

            ValueSome(2.0 * product.SumAll())
        | _ -> ValueNone

    /// Leibniz: coefficient k is Σ B(aᵢ, b_{k−i}).
    interface ITaylorRule with
        member this.Series(primals, _, coefficients) =
            let coefficient operand k = if k = 0 then ValueSome primals[operand] else coefficients[operand][k - 1]

            let multiply a b = Tensor.Of(this, a, b)

            [|
                Array.init (Taylor.order coefficients) (fun k ->
                    Taylor.product multiply (coefficient 0) (coefficient 1) (k + 1))
            |]
